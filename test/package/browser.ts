/** A static server and a headless Chromium: what a page's #result says in the end. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

/** Tells the server when #result has stopped saying "working", or what went wrong. */
const REPORT = `<script>
  const tell = (text) => fetch("/result", { method: "POST", body: text });
  addEventListener("error", (event) => tell("error: " + event.message));
  addEventListener("unhandledrejection", (event) => tell("error: " + event.reason));
  const look = setInterval(() => {
    const text = document.getElementById("result").textContent;
    if (text !== "working") { clearInterval(look); tell(text); }
  }, 50);
</script>`;

/** @returns the page's result, and what was asked of the server */
export async function openPage(chromium: string, folder: string, page = "index.html") {
  const requests: string[] = [];
  const profile = mkdtempSync(join(tmpdir(), "epic-chromium-"));
  let report: (text: string) => void = () => {};
  const result = new Promise<string>((resolve) => {
    report = resolve;
  });
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://host").pathname);
    if (request.method === "POST") {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      report(Buffer.concat(chunks).toString());
      response.end();
      return;
    }
    requests.push(path);
    try {
      const body = readFileSync(join(folder, path));
      response.setHeader("content-type", TYPES[extname(path)] ?? "application/octet-stream");
      response.end(extname(path) === ".html" ? `${REPORT}${body}` : body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];
  const address = `http://127.0.0.1:${port}/${page}`;
  const browser = spawn(chromium, [...flags, `--user-data-dir=${profile}`, address], {
    stdio: "ignore",
    detached: true, // a group of its own, so that its helpers end with it
  });
  const ended = new Promise<void>((resolve) => browser.once("close", () => resolve()));
  try {
    const early = ended.then(() => "error: Chromium ended");
    return { result: await Promise.race([result, early]), requests };
  } finally {
    // All of them at once: a helper that outlives the browser goes on writing to the profile that is removed here.
    if (browser.exitCode === null) process.kill(-browser.pid!, "SIGKILL");
    await ended;
    server.closeAllConnections();
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
