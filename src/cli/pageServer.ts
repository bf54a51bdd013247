/** A static server of known files: the built page and a model's two halves. */
import { readdir, readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, isIPv6 } from "node:net";
import { extname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

export interface PageServerOptions {
  /** 0 = any free port. */
  port: number;
  host: string;
  /** Served as model/edge.safetensors and model/central.safetensors. */
  modelFolder: string;
  /** The built page; default: the package's dist/web. */
  pageFolder?: string;
}

/** dist/cli/pageServer.js stands beside dist/web. */
const builtPage = fileURLToPath(new URL("../web", import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".safetensors": "application/octet-stream",
};

/**
 * The page asks this server alone, and nobody else may frame it. WebAssembly needs its own word;
 * nothing needs shared memory, so no isolation headers. The page says the same in its own head.
 */
const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; " +
    "img-src 'self' data:; connect-src 'self'; worker-src 'self'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

export class PageServer {
  readonly url: string;
  readonly port: number;
  readonly #server: Server;

  /** @throws Error of one line when the page is not built or the port cannot be had */
  static async start(options: PageServerOptions): Promise<PageServer> {
    const { port, host } = options;
    const files = await listFiles(options);
    const server = createServer((request, response) => {
      answer(files, request, response).catch(() => response.destroy());
    });
    // A browser that is busy computing must not find its connection closed under its next request.
    server.keepAliveTimeout = 60_000;
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error: NodeJS.ErrnoException) => {
        const reason = error.code === "EADDRINUSE" ? "already in use" : error.message;
        reject(new Error(`web: expected a free port, got ${host}:${port} (${reason})`));
      });
      server.listen(port, host, resolve);
    });
    return new PageServer(server, host);
  }

  private constructor(server: Server, host: string) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    this.url = `http://${isIPv6(host) ? `[${host}]` : host}:${this.port}/`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** Address -> file. Only what is listed here can be asked for, so no address leads elsewhere. */
async function listFiles(options: PageServerOptions): Promise<ReadonlyMap<string, string>> {
  const { modelFolder, pageFolder = builtPage } = options;
  const entries = await readdir(pageFolder, { recursive: true, withFileTypes: true }).catch(() => {
    throw new Error(`web: expected the built page at ${pageFolder}, got none (npm run build)`);
  });
  const files = new Map<string, string>();
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(`/${relative(pageFolder, path).split(sep).join("/")}`, path);
  }
  const index = files.get("/index.html");
  if (index === undefined) {
    throw new Error(`web: expected ${pageFolder} to hold index.html, got none (npm run build)`);
  }
  files.set("/", index);
  for (const half of ["edge", "central"]) {
    files.set(`/model/${half}.safetensors`, join(modelFolder, `${half}.safetensors`));
  }
  return files;
}

async function answer(
  files: ReadonlyMap<string, string>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { ...HEADERS, allow: "GET, HEAD" }).end("GET only\n");
    return;
  }
  const file = files.get(request.url?.split("?")[0] ?? "");
  const body = file === undefined ? undefined : await readFile(file).catch(() => undefined);
  if (file === undefined || body === undefined) {
    response.writeHead(404, { ...HEADERS, "content-type": "text/plain" }).end("not found\n");
    return;
  }
  response.writeHead(200, {
    ...HEADERS,
    "content-type": TYPES[extname(file)] ?? "application/octet-stream",
    "content-length": body.length,
    // Files of assets/ carry a hash of their content in their name.
    "cache-control": file.includes(`${sep}assets${sep}`)
      ? "max-age=31536000, immutable"
      : "no-cache",
  });
  response.end(request.method === "HEAD" ? undefined : body);
}
