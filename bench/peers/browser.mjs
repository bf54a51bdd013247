/**
 * The race in headless Chromium: one page per contestant, from one local server. Prints one line of JSON per contestant.
 *
 *     node bench/peers/browser.mjs MODELS
 *
 * Ours runs as the package's ES modules; onnxruntime-web and LiteRT.js on their own files. TensorFlow.js is left out: it would
 * need a bundle, and in Node it is far behind.
 */
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { inputShape, PARTS } from "./contestants.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const models = process.argv[2];
const sizes = JSON.parse(readFileSync(join(models, "sizes.json"), "utf8"));
const TYPES = {
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
  ".html": "text/html",
};
const IMPORTS = {
  "@assemblyscript/loader": "/root/node_modules/@assemblyscript/loader/index.js",
  "#edge-weights": "/root/dist/model/fetchEdgeWeights.js",
  "#central-weights": "/root/dist/model/fetchCentralWeights.js",
  "@litertjs/core": "/root/bench/peers/node_modules/@litertjs/core/dist/index.js",
  "@litertjs/wasm-utils": "/root/bench/peers/node_modules/@litertjs/wasm-utils/dist/index.js",
  "onnxruntime-web": "/root/bench/peers/node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs",
};
const PAGE = `<!doctype html><script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>`;
const CONTESTANTS = [
  { id: "epic-wasm", engine: "ours" },
  { id: "onnxruntime-web-onnx-fp32", engine: "ort", folder: "onnx", form: "fp32" },
  { id: "onnxruntime-web-onnx-int8", engine: "ort", folder: "onnx", form: "int8" },
  { id: "onnxruntime-web-onnx-u8-int8", engine: "ort", folder: "onnx-u8", form: "int8" },
  { id: "litert-fp32", engine: "litert", form: "fp32" },
  { id: "litert-int8", engine: "litert", form: "int8" },
];

const executablePath = [
  process.env.EPIC_CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
].find((path) => path && existsSync(path));
if (executablePath === undefined) {
  console.log(
    `\n@@${JSON.stringify({ error: "no Chromium at EPIC_CHROMIUM or /usr/bin/chromium" })}`,
  );
  process.exit(0);
}
const server = createServer(serve).listen(0, "127.0.0.1");
await new Promise((resolve) => server.once("listening", resolve));
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-background-networking"],
});
try {
  for (const contestant of CONTESTANTS) {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    const shapes = Object.fromEntries(PARTS.map((part) => [part, inputShape(part, sizes)]));
    const job = { ...contestant, parts: PARTS, shapes };
    const result = await page
      .evaluate(measureInPage, job)
      .catch((error) => ({ error: error.message.split("\n")[0] }));
    console.log(
      `\n@@${JSON.stringify({ id: contestant.id, chromium: browser.version(), ...result })}`,
    );
    await page.close();
  }
} finally {
  await browser.close();
  server.close();
}

/** /root: the repository; /models: the models. Nothing above either. */
function serve(request, response) {
  const path = normalize(new URL(request.url, "http://localhost").pathname);
  const file = path.startsWith("/root/")
    ? join(root, path.slice(6))
    : path.startsWith("/models/")
      ? join(models, path.slice(8))
      : undefined;
  const body = path === "/" ? PAGE : file && existsSync(file) ? readFileSync(file) : undefined;
  response.writeHead(body ? 200 : 404, {
    "content-type":
      path === "/" ? "text/html" : (TYPES[extname(path)] ?? "application/octet-stream"),
    // Only an isolated page gets a clock of 5 microseconds.
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
  });
  response.end(body);
}

/** Runs in the page: start-up to the first map, then every part warm. */
async function measureInPage({ engine, folder, form, parts, shapes }) {
  const start = performance.now();
  const open = await { ours, ort, litert }[engine]();
  const full = await open("full");
  const ready = performance.now();
  await full();
  const cold = { readyMs: ready - start, firstMs: performance.now() - ready };
  const results = {};
  for (const part of parts) results[part] = await time(part === "full" ? full : await open(part));
  return { cold, parts: results };

  async function ours() {
    const { EdgeEncoder } = await import("/root/dist/lib/edge.js");
    const { CentralDecoder } = await import("/root/dist/lib/central.js");
    const [encoder, decoder] = [await EdgeEncoder.load(), await CentralDecoder.load()];
    const { shots, samples, devices } = encoder.config.geometry;
    const traces = devices.map(({ receivers }) => noise(shots * samples * receivers));
    const count = encoder.config.latent.slots * encoder.config.latent.channels;
    const latents = new Int8Array(devices.length * count);
    const rows = devices.map((_, i) => latents.subarray(i * count, (i + 1) * count));
    return async (part) => {
      if (part === "encoder") return async () => encoder.encode(traces[0], { device: 0 });
      if (part !== "full")
        return async () => decoder.stages.find(({ name }) => name === part).run();
      return async () => {
        traces.forEach((own, device) => {
          encoder.encode(own, { device, out: rows[device] });
        });
        return decoder.decode(latents);
      };
    };
  }

  async function ort() {
    const library = await import("onnxruntime-web");
    library.env.wasm.numThreads = 1;
    library.env.wasm.wasmPaths = "/root/bench/peers/node_modules/onnxruntime-web/dist/";
    return async (part) => {
      const session = await library.InferenceSession.create(
        `/models/${folder}/${part}.${form}.onnx`,
        {
          executionProviders: ["wasm"],
        },
      );
      const feeds = {
        [session.inputNames[0]]: new library.Tensor("float32", await input(part), shapes[part]),
      };
      return async () => (await session.run(feeds))[session.outputNames[0]].data;
    };
  }

  async function litert() {
    const { loadLiteRt, loadAndCompile, Tensor } = await import("@litertjs/core");
    await loadLiteRt("/root/bench/peers/node_modules/@litertjs/core/wasm/");
    return async (part) => {
      const options = { accelerator: "wasm", cpuOptions: { numThreads: 1 } };
      const model = await loadAndCompile(`/models/tflite/${part}.${form}.tflite`, options);
      const shape = Array.from(model.getInputDetails()[0].shape);
      const x = await input(part);
      return async () => {
        const tensor = new Tensor(x, shape);
        const [result] = await model.run([tensor]);
        const data = await result.data();
        tensor.delete();
        result.delete();
        return data;
      };
    };
  }

  /** The first record's; the encoder's is the first device of it. Order of the axes costs nothing here. */
  async function input(part) {
    const name = { encoder: "x", full: "x", central: "latents", decoder: "answers" }[part];
    const count = shapes[part].reduce((product, size) => product * size, 1);
    const response = await fetch(`/models/data/inputs.${name}.f32`, {
      headers: { range: `bytes=0-${4 * count - 1}` },
    });
    return new Float32Array((await response.arrayBuffer()).slice(0, 4 * count));
  }

  function noise(count) {
    let state = 1;
    return Float32Array.from({ length: count }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 31 - 1;
    });
  }

  async function time(run) {
    const warm = performance.now() + 700;
    while (performance.now() < warm) {
      await run();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const times = [];
    for (let spent = 0; spent < 300 || times.length < 8; ) {
      const begin = performance.now();
      await run();
      times.push(performance.now() - begin);
      spent += times.at(-1);
    }
    times.sort((a, b) => a - b);
    return {
      medianMs: times[times.length >> 1],
      p10Ms: times[Math.floor(times.length / 10)],
      runs: times.length,
    };
  }
}
