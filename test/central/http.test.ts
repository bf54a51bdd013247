import { Counter, Registry } from "prom-client";
import { afterEach, expect, it } from "vitest";
import { HttpEndpoint } from "../../src/central/http.ts";

let endpoint: HttpEndpoint | undefined;
afterEach(() => endpoint?.close());

it("answers health, readiness and metrics, and nothing else", async () => {
  const registry = new Registry();
  new Counter({ name: "epic_test_total", help: "a test", registers: [registry] }).inc(3);
  let unready: string | undefined = "no broker";
  endpoint = await HttpEndpoint.start({ port: 0, registry, unready: () => unready });
  const get = async (path: string, method = "GET") => {
    const response = await fetch(`http://127.0.0.1:${endpoint!.port}${path}`, { method });
    return { status: response.status, text: await response.text() };
  };
  expect(await get("/healthz")).toEqual({ status: 200, text: "ok\n" });
  expect(await get("/readyz")).toEqual({ status: 503, text: "no broker\n" });
  unready = undefined;
  expect((await get("/readyz?x=1")).status).toBe(200);
  expect((await get("/metrics")).text).toContain("epic_test_total 3");
  expect((await get("/")).status).toBe(404);
  expect((await get("/healthz", "POST")).status).toBe(405);
});

it("says in one line that the port is taken", async () => {
  const options = { registry: new Registry(), unready: () => undefined };
  endpoint = await HttpEndpoint.start({ port: 0, ...options });
  await expect(HttpEndpoint.start({ port: endpoint.port, ...options })).rejects.toThrow(
    `http: expected a free port, got 127.0.0.1:${endpoint.port} (already in use)`,
  );
});
