/** `epic web`: the page that shows a record's way, served from this package alone. */
import { Command } from "commander";
import { shippedModelFolder } from "../io/modelFiles.ts";
import { action, addJsonOption, type JsonOptions, parseIntOption, printJson } from "./common.ts";
import { readModel } from "./demoInput.ts";
import { aborted, stopSignal } from "./lifetime.ts";
import { PageServer } from "./pageServer.ts";

interface Options extends JsonOptions {
  host: string;
  port: number;
  model?: string;
}

export function webCommand(): Command {
  const command = new Command("web")
    .description(
      "Serve a page that runs a record in the browser: paint the ground, watch the wave, switch\n" +
        "devices off and see what the map loses. It asks nothing of any other server.",
    )
    .option("--port <n>", "TCP port; 0 = any free one", parseIntOption("--port", 0, 65535), 8080)
    .option("--host <address>", "address to listen at", "127.0.0.1")
    .option("--model <dir>", "model folder (default: the shipped weights/epic-base)");
  return addJsonOption(command).action(action(web));
}

async function web(options: Options): Promise<void> {
  const stop = stopSignal();
  const { host, port, model = shippedModelFolder } = options;
  // A model that cannot be read is better said here than in a browser.
  await readModel(model);
  const server = await PageServer.start({ host, port, modelFolder: model });
  if (options.json) printJson({ url: server.url, host, port: server.port });
  else process.stdout.write(`${server.url}\n`);
  await aborted(stop);
  await server.close();
}
