import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LinkProfile } from "../../src/testbed/links.ts";
import { ShapingProxy } from "../../src/testbed/proxy.ts";

let echo: Server;
let proxy: ShapingProxy | undefined;
const sockets = new Set<Socket>();

beforeEach(async () => {
  echo = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).pipe(socket);
  });
  await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  await proxy?.close();
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await new Promise((resolve) => echo.close(resolve));
});

function link(bitsPerSecond: number, delayMs: number, loss = 0): LinkProfile {
  const direction = { bitsPerSecond, delayMs, jitterMs: 0, loss };
  return {
    name: "test",
    up: direction,
    down: direction,
    medium: "own",
    radio: "wifi",
    sources: [],
  };
}

/** Sends the bytes, waits for all of them to come back. */
async function roundTrip(
  bytes: Buffer,
  profile: LinkProfile,
): Promise<{ came: Buffer; ms: number }> {
  let seed = 7;
  const random = () => {
    seed = (seed * 48271) % 2147483647;
    return seed / 2147483647;
  };
  const target = (echo.address() as AddressInfo).port;
  proxy = await ShapingProxy.start({ link: profile, random, target });
  const socket = connect({ port: proxy.port, host: "127.0.0.1", noDelay: true });
  sockets.add(socket);
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  const start = performance.now();
  socket.write(bytes);
  const chunks: Buffer[] = [];
  let length = 0;
  await new Promise<void>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= bytes.length) resolve();
    });
  });
  return { came: Buffer.concat(chunks), ms: performance.now() - start };
}

describe("ShapingProxy", () => {
  it("delays a small message by both ways' delay, and never less", async () => {
    const { came, ms } = await roundTrip(Buffer.from("hello"), link(1e9, 30));
    expect(came.toString()).toBe("hello");
    expect(ms).toBeGreaterThanOrEqual(59);
    expect(proxy!.bytes()).toMatchObject({ mqtt: 10, up: 5 + 1.5 * 66, down: 5 + 1.5 * 66 });
  });

  it("lets no more through than the rate, through losses and its own bound, every byte in order", async () => {
    const bytes = Buffer.from(Uint32Array.from({ length: 150_000 }, (_, i) => i).buffer);
    const rate = 20e6;
    const { came, ms } = await roundTrip(bytes, link(rate, 1, 0.01));
    expect(came.equals(bytes)).toBe(true);
    expect(ms).toBeGreaterThan((bytes.length * 8000) / rate);
    const { mqtt, up } = proxy!.bytes();
    expect(mqtt).toBe(2 * bytes.length);
    // A header for each full segment, and half an acknowledgement for each that comes back.
    expect(up / bytes.length).toBeGreaterThan(1.06);
    expect(up / bytes.length).toBeLessThan(1.09);
  });
});
