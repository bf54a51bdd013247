import type { CentralExports } from "./kernels.ts";
import type { ModuleFamily } from "./openModule.ts";
import { centralSelfTest } from "./selfTest.ts";

/** central.wasm in its three builds. */
export const centralModules: ModuleFamily<CentralExports> = {
  side: "central",
  source: {
    scalar: () => import("./wasm/central.scalar.ts"),
    simd: () => import("./wasm/central.simd.ts"),
    relaxed: () => import("./wasm/central.relaxed.ts"),
  },
  selfTest: centralSelfTest,
  /** From the scalar module; test/engine/selfTest.test.ts derives it again. */
  selfTestHash: 0x052e8729,
};
