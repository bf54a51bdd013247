import type { Arena } from "../engine/arena.ts";
import type { IgemmForms, KernelExports, ModuleName } from "../engine/kernels.ts";

/** What a plan is built with: the running module and its memory. */
export interface Build<T extends KernelExports = KernelExports> {
  readonly exports: T;
  readonly arena: Arena;
  readonly name: ModuleName;
  /** Which exports do the products. */
  readonly forms: IgemmForms;
}
