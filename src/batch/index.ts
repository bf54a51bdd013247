/** Many records over worker threads, in Node: `epic-wasm/batch`. */
export { RecordPool, type RecordPoolOptions } from "./recordPool.ts";
