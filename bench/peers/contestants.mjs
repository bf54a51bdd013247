/**
 * The engines in the race, each opened on the files that prepare.mjs made. `open` loads one part of the network and returns
 * a function from the part's input (Float32Array, one record or one device) to a Promise of its result.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { runInThisContext } from "node:vm";

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL("../..", import.meta.url));

export const PARTS = ["encoder", "central", "decoder", "full"];

/** Shape of a part's input: channels first, as the ONNX graphs have it. */
export function inputShape(part, sizes) {
  const { devices, channels, frames, tokens, latent, queries, width } = sizes;
  if (part === "encoder") return [1, channels, frames];
  if (part === "full") return [devices, channels, frames];
  return part === "central" ? [tokens, latent] : [queries, width];
}

/**
 * name: as the tables say it. kind: ours, wasm or native. files: the folder and form of its models. `prepare` is done before
 * the clock starts, `start` (once) and `open` (per part) are what a user waits for.
 */
export const CONTESTANTS = [
  ours("epic-wasm", {}),
  ours("epic-wasm turbo", { turbo: true }),
  ort("onnxruntime-web", "wasm", "onnx", "fp32"),
  ort("onnxruntime-web", "wasm", "onnx", "int8"),
  ort("onnxruntime-web", "wasm", "onnx-u8", "int8"),
  litert("fp32"),
  litert("int8"),
  tfjs(),
  ort("onnxruntime-node", "native", "onnx", "fp32"),
  ort("onnxruntime-node", "native", "onnx", "int8"),
  ort("onnxruntime-node", "native", "onnx-u8", "int8"),
];

function ours(name, { turbo = false }) {
  return {
    id: name.replace(" ", "-"),
    name,
    form: "int8",
    kind: "ours",
    turbo,
    async start() {
      if (turbo) {
        const { enableTurbo } = await import(local("dist/io/turbo.js"));
        const refusal = enableTurbo();
        if (refusal) throw new Error(refusal);
      }
      const [{ EdgeEncoder }, { CentralDecoder }] = await Promise.all([
        import(local("dist/lib/edge.js")),
        import(local("dist/lib/central.js")),
      ]);
      const encoder = await EdgeEncoder.load();
      const decoder = await CentralDecoder.load();
      return { encoder, decoder, version: `${packageVersion(root)} (${encoder.module})` };
    },
    open: ({ encoder, decoder }, part) => ourPart(encoder, decoder, part),
  };
}

/** The public calls, copies and checks included; from raw traces, so the input stage is in the time that only ours has. */
function ourPart(encoder, decoder, part) {
  const { devices } = encoder.config.geometry;
  if (part === "encoder") return async (traces) => encoder.encode(traces[0], { device: 0 });
  if (part === "full") {
    const { slots, channels } = encoder.config.latent;
    const latents = new Int8Array(devices.length * slots * channels);
    const rows = devices.map((_, i) =>
      latents.subarray(i * slots * channels, (i + 1) * slots * channels),
    );
    return async (traces) => {
      for (let device = 0; device < devices.length; device++) {
        encoder.encode(traces[device], { device, out: rows[device] });
      }
      return decoder.decode(latents);
    };
  }
  const stage = decoder.stages.find(({ name }) => name === part);
  return async () => stage.run();
}

function ort(name, kind, folder, form) {
  return {
    id: `${name}-${folder}-${form}`,
    name,
    form: folder === "onnx-u8" ? "int8, u8 throughout" : form,
    kind,
    async start() {
      const library = await import(name === "onnxruntime-web" ? "onnxruntime-web/wasm" : name);
      if (name === "onnxruntime-web") library.env.wasm.numThreads = 1;
      library.env.logLevel = "error";
      return { library, version: packageVersion(packageFolder(name)) };
    },
    async open({ library }, part, { models, shape }) {
      const options = {
        executionProviders: [name === "onnxruntime-web" ? "wasm" : "cpu"],
        graphOptimizationLevel: "all",
        intraOpNumThreads: 1,
        interOpNumThreads: 1,
        logSeverityLevel: 3,
      };
      const file = readFileSync(join(models, folder, `${part}.${form}.onnx`));
      const session = await library.InferenceSession.create(file, options);
      const [input] = session.inputNames;
      const [output] = session.outputNames;
      return async (x) =>
        (await session.run({ [input]: new library.Tensor("float32", x, shape) }))[output].data;
    },
  };
}

/** LiteRT.js is made for browsers: Node gets the four globals it asks for. It picks its relaxed build where the engine has that. */
function litert(form) {
  return {
    id: `litert-${form}`,
    name: "LiteRT.js",
    form,
    kind: "wasm",
    channelsLast: true,
    async start() {
      const folder = packageFolder("@litertjs/core");
      const wasm = join(folder, "wasm/");
      Object.assign(globalThis, {
        self: globalThis,
        require,
        __dirname: wasm,
        __filename: join(wasm, "x.js"),
      });
      globalThis.importScripts = (file) =>
        runInThisContext(
          `${readFileSync(file, "utf8")}\n;globalThis.ModuleFactory = ModuleFactory;`,
        );
      globalThis.fetch = async (file) =>
        new Response(readFileSync(String(file).replace("file://", "")), {
          headers: { "content-type": "application/wasm" },
        });
      console.info = console.warn = console.error = () => {};
      const library = await import("@litertjs/core");
      await library.loadLiteRt(wasm);
      return { library, version: packageVersion(folder) };
    },
    async open({ library }, part, { models }) {
      const file = new Uint8Array(readFileSync(join(models, "tflite", `${part}.${form}.tflite`)));
      const options = { accelerator: "wasm", cpuOptions: { numThreads: 1 } };
      const model = await library.loadAndCompile(file, options);
      const shape = Array.from(model.getInputDetails()[0].shape);
      return async (x) => {
        const tensor = new library.Tensor(x, shape);
        const results = await model.run([tensor]);
        const data = await results[0].data();
        tensor.delete();
        for (const result of results) result.delete();
        return data;
      };
    },
  };
}

function tfjs() {
  return {
    id: "tfjs-wasm-fp32",
    name: "tfjs-backend-wasm",
    form: "fp32",
    kind: "wasm",
    async start() {
      const tf = await import("@tensorflow/tfjs-core");
      const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
      const folder = packageFolder("@tensorflow/tfjs-backend-wasm");
      setWasmPaths(`${join(folder, "dist")}/`);
      await tf.setBackend("wasm");
      await tf.ready();
      return { tf, version: packageVersion(folder) };
    },
    async open({ tf }, part, { models, shape }) {
      const { openGraph } = await import("./tfjsGraph.mjs");
      return openGraph(tf, join(models, "data", `tfjs-${part}`), shape);
    },
  };
}

function local(path) {
  return pathToFileURL(join(root, path)).href;
}

/** The folder of an installed package, from wherever its entry file lies. */
export function packageFolder(name) {
  let folder = dirname(require.resolve(name));
  while (!folder.endsWith(join("node_modules", name))) folder = dirname(folder);
  return folder;
}

function packageVersion(folder) {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version;
}
