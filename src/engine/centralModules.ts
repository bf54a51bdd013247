import type { CentralExports } from "./kernels.ts";
import { moduleBytes } from "./moduleBytes.ts";
import type { ModuleFamily } from "./openModule.ts";
import { centralSelfTest } from "./selfTest.ts";

/** central.wasm in its three builds. */
export const centralModules: ModuleFamily<CentralExports> = {
  side: "central",
  source: {
    scalar: () => moduleBytes("central.scalar", () => import("./wasm/central.scalar.ts")),
    simd: () => moduleBytes("central.simd", () => import("./wasm/central.simd.ts")),
    relaxed: () => moduleBytes("central.relaxed", () => import("./wasm/central.relaxed.ts")),
  },
  selfTest: centralSelfTest,
  /** From the scalar module; test/engine/selfTest.test.ts derives it again. */
  selfTestHash: 0x052e8729,
};
