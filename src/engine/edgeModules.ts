import type { EdgeExports } from "./kernels.ts";
import { moduleBytes } from "./moduleBytes.ts";
import type { ModuleFamily } from "./openModule.ts";
import { edgeSelfTest } from "./selfTest.ts";

/** edge.wasm in its three builds. */
export const edgeModules: ModuleFamily<EdgeExports> = {
  side: "edge",
  source: {
    scalar: () => moduleBytes("edge.scalar", () => import("./wasm/edge.scalar.ts")),
    simd: () => moduleBytes("edge.simd", () => import("./wasm/edge.simd.ts")),
    relaxed: () => moduleBytes("edge.relaxed", () => import("./wasm/edge.relaxed.ts")),
  },
  selfTest: edgeSelfTest,
  /** From the scalar module; test/engine/selfTest.test.ts derives it again. */
  selfTestHash: 0x56dbb825,
};
