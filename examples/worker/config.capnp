# The same Worker in workerd alone. `device.js` is worker.js with epic-wasm bundled in (any bundler; the two imports stay):
#   workerd serve config.capnp
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [ (name = "device", worker = .device) ],
  sockets = [ (name = "http", address = "127.0.0.1:8787", http = (), service = "device") ],
);

const device :Workerd.Worker = (
  modules = [
    (name = "device.js", esModule = embed "device.js"),
    (name = "epic-wasm/wasm/edge.simd.wasm", wasm = embed "edge.simd.wasm"),
    (name = "epic-wasm/weights/epic-base/edge.safetensors", data = embed "edge.safetensors"),
  ],
  compatibilityDate = "2026-01-01",
);
