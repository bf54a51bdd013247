/** `epic web` as a user runs it, asked over HTTP; test/browser opens the page itself. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PageServer } from "../../src/cli/pageServer.ts";
import { loadModel } from "../../src/io/modelFiles.ts";
import { scratch } from "../edge/smallSurvey.ts";
import { type Running, requireBuild, run, start } from "./processes.ts";
import { writeSurveyModel } from "./surveyModel.ts";

const slowMs = 120_000;
let served: Running;
let url: string;

beforeAll(async () => {
  requireBuild();
  served = start(["web", "--port", "0", "--json"]);
  const document = JSON.parse(await firstDocument(served));
  expect(document).toMatchObject({ host: "127.0.0.1", port: expect.any(Number) });
  url = document.url;
}, slowMs);
afterAll(async () => {
  served.child.kill("SIGTERM");
  expect(await served.ended).toMatchObject({ code: 0, stderr: "" });
});

/** What a command that goes on running prints first. */
function firstDocument({ child, ended }: Running): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (chunk) => {
      text += chunk;
      if (text.trimEnd().endsWith("}")) resolve(text);
    });
    void ended.then(({ stderr }) => reject(new Error(`ended: ${stderr}`)));
  });
}

describe("epic web", () => {
  it("serves the page and every file that it names", async () => {
    const page = await fetch(url);
    expect(page.status).toBe(200);
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const html = await page.text();
    const names = [...html.matchAll(/(?:src|href)="(\.\/[^"]+)"/g)].map(([, name]) => name!);
    expect(names.map((name) => name.replace(/^.*\./, ""))).toEqual(
      expect.arrayContaining(["js", "css", "svg"]),
    );
    for (const name of names) {
      const answer = await fetch(new URL(name, url));
      expect([name, answer.status]).toEqual([name, 200]);
    }
    // Nothing on the page asks another server for anything.
    expect(html.match(/(?:src|href)="(?:https?:)?\/\//g)).toBeNull();
  });

  it("lets the page reach nothing but itself", async () => {
    const { headers } = await fetch(url);
    const policy = headers.get("content-security-policy");
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/'unsafe-(inline|eval)'/);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("cross-origin-embedder-policy")).toBeNull();
  });

  it("serves the shipped model", async () => {
    const files = await loadModel();
    for (const half of ["edge", "central"] as const) {
      const answer = await fetch(new URL(`model/${half}.safetensors`, url));
      expect(Buffer.from(await answer.arrayBuffer()).equals(files[half])).toBe(true);
    }
  });

  it.each([
    ["nothing", "nowhere.js"],
    ["a folder", "assets/"],
    ["a path upwards", "assets/%2e%2e/%2e%2e/package.json"],
    ["a path upwards in plain", "..%2f..%2fpackage.json"],
    ["an empty name", "/"],
  ])("answers 404 to %s", async (_, path) => {
    const answer = await fetch(`${url}${path}`);
    expect(answer.status).toBe(404);
    await answer.text();
  });

  it("answers HEAD without a body and refuses to be written to", async () => {
    const head = await fetch(url, { method: "HEAD" });
    expect(head.status).toBe(200);
    expect(Number(head.headers.get("content-length"))).toBeGreaterThan(1000);
    expect(await head.text()).toBe("");
    const post = await fetch(url, { method: "POST", body: "x" });
    expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  it("keeps hashed files for good and asks again for the rest", async () => {
    const html = await (await fetch(url)).text();
    const script = /src="(\.\/assets\/[^"]+\.js)"/.exec(html)![1]!;
    const cache = async (name: string) =>
      (await fetch(new URL(name, url))).headers.get("cache-control");
    expect(await cache(script)).toContain("immutable");
    expect(await cache("")).toBe("no-cache");
    expect(await cache("model/edge.safetensors")).toBe("no-cache");
  });
});

describe("epic web with other input", () => {
  it("serves the model that it is told to", async () => {
    const folder = await scratch();
    try {
      const model = await writeSurveyModel(join(folder.path, "model"), 3);
      const server = await PageServer.start({
        host: "127.0.0.1",
        port: 0,
        modelFolder: join(folder.path, "model"),
        pageFolder: new URL("../../dist/web", import.meta.url).pathname,
      });
      const answer = await fetch(`${server.url}model/edge.safetensors`);
      expect(Buffer.from(await answer.arrayBuffer()).equals(model.edge)).toBe(true);
      await server.close();
    } finally {
      await folder.dispose();
    }
  });

  it("says in one line that a port is taken", { timeout: slowMs }, async () => {
    const port = new URL(url).port;
    const ended = await run(["web", "--port", port]);
    expect(ended).toMatchObject({ code: 1, stdout: "" });
    expect(ended.stderr).toBe(
      `epic: web: expected a free port, got 127.0.0.1:${port} (already in use)\n`,
    );
  });

  it("says in one line that there is no such model", { timeout: slowMs }, async () => {
    const ended = await run(["web", "--port", "0", "--model", "/nowhere"]);
    expect(ended).toMatchObject({ code: 1, stdout: "" });
    expect(ended.stderr).toMatch(/^epic: model: expected weights at \/nowhere\/.*\n$/);
  });

  it("says that the page was not built", async () => {
    const started = PageServer.start({
      host: "127.0.0.1",
      port: 0,
      modelFolder: "/nowhere",
      pageFolder: "/nowhere/web",
    });
    await expect(started).rejects.toThrow(
      /^web: expected the built page at \/nowhere\/web, got none/,
    );
  });

  it("refuses a port that is none", { timeout: slowMs }, async () => {
    expect(await run(["web", "--port", "70000"])).toMatchObject({ code: 2, stdout: "" });
  });
});
