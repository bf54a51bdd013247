/** The page in Firefox and in WebKit: the same bits on the other browsers' engines, and nothing on the console. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PageServer } from "../../src/cli/pageServer.ts";
import { loadModel, shippedModelFolder } from "../../src/io/modelFiles.ts";
import { readNpy } from "../../src/io/npy.ts";
import { velocityMap } from "../../src/physics/index.ts";
import { Encoding } from "../../src/protocol/index.ts";
import { Inversion } from "../../web/src/compute/inversion.ts";

interface Observed {
  readonly agent: string;
  readonly figures: Readonly<Record<string, string>>;
  readonly complaints: readonly string[];
  readonly map: readonly number[];
}

interface OtherBrowser {
  readonly name: string;
  readonly agent: RegExp;
  /** All of them must be there. */
  readonly needs: readonly string[];
  readonly command: (url: string, profile: string) => readonly [string, ...string[]];
}

const firefox = process.env.EPIC_FIREFOX ?? "/usr/bin/firefox-esr";
const webkit = process.env.EPIC_WEBKIT ?? "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser";
const display = "/usr/bin/xvfb-run";

const browsers: readonly OtherBrowser[] = [
  {
    name: "Firefox",
    agent: /Firefox\//,
    needs: [firefox],
    command: (url, profile) => [firefox, "--headless", "--no-remote", "--profile", profile, url],
  },
  {
    name: "WebKit",
    agent: /AppleWebKit.*Version\/.*Safari/,
    needs: [webkit, display],
    command: (url) => [display, "-a", webkit, "--private", url],
  },
];

const map = { family: "flatfault-a", seed: 11 } as const;

describe.each(browsers)("the page in $name", ({ name, agent, needs, command }) => {
  const missing = needs.filter((path) => !existsSync(path));
  if (missing.length > 0) console.log(`test/browser: ${name} left out: no ${missing.join(", ")}`);

  let pages: PageServer;
  let observer: Observer;
  let profile: string;
  beforeAll(async () => {
    profile = await mkdtemp(join(tmpdir(), "epic-browser-"));
    pages = await PageServer.start({
      port: 0,
      host: "127.0.0.1",
      modelFolder: shippedModelFolder,
      pageFolder: new URL("../../dist/web", import.meta.url).pathname,
    });
    observer = await Observer.start(pages.url);
  });
  afterAll(async () => {
    await observer?.close();
    await pages?.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  });

  it.skipIf(missing.length > 0)("computes the map's bits as Node does", async () => {
    const address = `${observer.url}#family=${map.family}&seed=${map.seed}`;
    const [program, ...args] = command(address, profile);
    const child = spawn(program, args, {
      stdio: "ignore",
      detached: true,
      env: { ...process.env, HOME: profile },
    });
    try {
      const observed = await Promise.race([observer.observed, ended(child, name)]);
      expect(observed.complaints).toEqual([]);
      expect(observed.agent).toMatch(agent);
      const saved = join(profile, "velocity.npy");
      await writeFile(saved, Uint8Array.from(observed.map));
      const { shape, data } = await readNpy(saved);
      expect(shape).toEqual([70, 70]);
      expect(Buffer.from(data.buffer, data.byteOffset, data.byteLength)).toEqual(await mapOfNode());
      console.log(`${name}: ${observed.agent}; module ${observed.figures.module}`);
    } finally {
      process.kill(-child.pid!, "SIGKILL");
    }
  });
});

async function mapOfNode(): Promise<Buffer> {
  const node = await Inversion.load(await loadModel());
  const present = [true, true, true, true, true];
  const truth = velocityMap(map.family, map.seed, 0);
  const found = node.run({ truth, noise: 0, encoding: Encoding.int8, present }).map!;
  return Buffer.from(found.buffer, found.byteOffset, found.byteLength);
}

async function ended(child: ChildProcess, name: string): Promise<never> {
  const [code] = await once(child, "exit");
  throw new Error(`${name}: expected a report from the page, got exit code ${code}`);
}

/** The page's own server with one script more in its page, which sends back what the browser saw. */
class Observer {
  readonly url: string;
  readonly observed: Promise<Observed>;
  readonly #server: Server;

  static async start(pages: string): Promise<Observer> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Observer(server, pages);
  }

  private constructor(server: Server, pages: string) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    this.observed = new Promise((resolve) => {
      server.on("request", async (request: IncomingMessage, response) => {
        if (request.method === "POST") {
          const said = await text(request);
          response.end();
          resolve(JSON.parse(said) as Observed);
          return;
        }
        const { status, headers, body } = await answerOf(pages, request.url ?? "/");
        response.writeHead(status, headers).end(body);
      });
    });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

async function answerOf(pages: string, path: string) {
  if (path === "/observer.js") {
    const body = await readFile(new URL("observer.js", import.meta.url));
    return { status: 200, headers: { "content-type": "text/javascript" }, body };
  }
  const answer = await fetch(new URL(path, pages));
  const headers = Object.fromEntries(answer.headers);
  let body: Buffer = Buffer.from(await answer.arrayBuffer());
  if (path === "/") {
    const page = body.toString().replace("<head>", '<head><script src="./observer.js"></script>');
    body = Buffer.from(page);
    delete headers["content-length"];
  }
  return { status: answer.status, headers, body };
}
