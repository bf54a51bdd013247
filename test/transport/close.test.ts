/** Ending a link whose broker confirms nothing. */
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, it } from "vitest";
import { MqttLink } from "../../src/transport/index.ts";
import { until } from "../edge/smallSurvey.ts";

it("closes though a confirmation never comes, and says offline first", async () => {
  const connackAccepted = Buffer.from([0x20, 2, 0, 0]);
  let heard = Buffer.alloc(0);
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.once("data", () => socket.write(connackAccepted));
    socket.on("data", (chunk) => {
      heard = Buffer.concat([heard, chunk]);
    });
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const url = `mqtt://127.0.0.1:${port}`;
  const link = new MqttLink({ url, clientId: "a", statusTopic: "epic/v1/s/status/device/0" });
  await until(() => link.connected);
  link.publish("epic/v1/s/0/latent/0", new Uint8Array(100), { qos: 1 }).catch(() => {});
  await until(() => heard.includes("latent"));
  await link.close();
  await until(() => sockets[0]!.destroyed);
  expect(heard.toString("latin1").lastIndexOf("offline")).toBeGreaterThan(heard.indexOf("latent"));
  server.close();
});
