import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";

export interface HttpOptions {
  /** 0 = any free port. */
  port: number;
  /** Default 127.0.0.1. */
  host?: string;
  registry: Registry;
  /** Why records cannot be received and committed now; undefined while they can. */
  unready: () => string | undefined;
}

/** `/healthz` (the process answers), `/readyz` (records can be received and committed), `/metrics` (Prometheus). */
export class HttpEndpoint {
  readonly port: number;
  readonly #server: Server;

  /** @throws Error of one line when the port cannot be had */
  static async start(options: HttpOptions): Promise<HttpEndpoint> {
    const { port, host = "127.0.0.1" } = options;
    const server = createServer((request, response) => {
      void answer(options, request, response);
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error: NodeJS.ErrnoException) => {
        const reason = error.code === "EADDRINUSE" ? "already in use" : error.message;
        reject(new Error(`http: expected a free port, got ${host}:${port} (${reason})`));
      });
      server.listen(port, host, resolve);
    });
    return new HttpEndpoint(server);
  }

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

async function answer(
  { registry, unready }: HttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = request.url?.split("?")[0];
  if (request.method !== "GET" && request.method !== "HEAD")
    return reply(response, 405, "GET only\n");
  if (path === "/healthz") return reply(response, 200, "ok\n");
  if (path === "/readyz") {
    const reason = unready();
    if (reason === undefined) return reply(response, 200, "ready\n");
    return reply(response, 503, `${reason}\n`);
  }
  if (path === "/metrics") {
    return reply(response, 200, await registry.metrics(), registry.contentType);
  }
  return reply(response, 404, "expected /healthz, /readyz or /metrics\n");
}

function reply(response: ServerResponse, status: number, text: string, type = "text/plain"): void {
  response.writeHead(status, { "content-type": type }).end(text);
}
