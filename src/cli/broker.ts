/** `epic broker`: the embedded MQTT broker on its own. */
import { Command } from "commander";
import { Broker } from "../transport/broker.ts";
import { action, addJsonOption, type JsonOptions, parseIntOption, printJson } from "./common.ts";
import { aborted, stopSignal } from "./lifetime.ts";

interface Options extends JsonOptions {
  host: string;
  port: number;
}

export function brokerCommand(): Command {
  const command = new Command("broker")
    .description(
      "Run the embedded MQTT 3.1.1 broker until a signal ends it. It has no access control and\n" +
        "keeps nothing on disk: for tests and closed networks.",
    )
    .option("--port <n>", "TCP port; 0 = any free one", parseIntOption("--port", 0, 65535), 1883)
    .option("--host <address>", "address to listen at", "127.0.0.1");
  return addJsonOption(command).action(action(broker));
}

async function broker(options: Options): Promise<void> {
  const stop = stopSignal();
  const { host, port } = options;
  const running = await Broker.start({ host, port });
  // At once, so that a script can start devices with it.
  if (options.json) printJson({ url: running.url, host, port: running.port });
  else process.stdout.write(`${running.url}\n`);
  await aborted(stop);
  for (const [client, bytes] of running.bytes()) {
    process.stderr.write(
      `broker: ${client}: ${bytes.frameCount} frames, ${bytes.payload} B latents, ` +
        `${bytes.mqttIn + bytes.mqttOut} B MQTT, about ${bytes.wire} B on the wire\n`,
    );
  }
  await running.close();
}
