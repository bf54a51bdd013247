/** One kernel call of a plan, its arguments fixed when the model was loaded. */
export interface Step {
  /** Layer and part, as in `fusion0.qkv` or `dec4 phase 3`. */
  readonly name: string;
  /** Multiply-accumulates that count: padding rows and channels do not. */
  readonly macs: number;
  readonly run: () => void;
}

/** A step as data: which export it calls with which arguments, for hosts that run no JavaScript. */
export interface KernelCall {
  readonly export: string;
  /** In the order of docs/abi.md. */
  readonly args: readonly number[];
  /** Positions of the arguments that are f32, and exact in it; all others are i32. */
  readonly f32: readonly number[];
}

/** A step that is one call, and says which. */
export interface KernelStep extends Step {
  readonly call: KernelCall;
}

/**
 * The step that calls one export.
 * @param name of the export, for the plan as data
 * @param args of that export; f32 ones already rounded to f32
 * @param f32 positions of those
 */
export function kernelStep<A extends number[]>(
  kernel: (...args: A) => void,
  name: string,
  args: A,
  step: { readonly name: string; readonly macs: number },
  f32: readonly number[] = [],
): KernelStep {
  return { ...step, call: { export: name, args, f32 }, run: () => kernel(...args) };
}

/** Runs steps in order; allocates nothing. */
export function runSteps(steps: readonly Step[]): void {
  for (let i = 0; i < steps.length; i++) steps[i]!.run();
}

/** Multiply-accumulates of all steps. */
export function sumMacs(steps: readonly Step[]): number {
  return steps.reduce((total, step) => total + step.macs, 0);
}

/** A part of the network that is timed as one. */
export interface Stage {
  readonly name: "encoder" | "central" | "decoder";
  readonly macs: number;
  readonly steps: readonly Step[];
  /** Runs it on what stands in module memory; allocates nothing. */
  readonly run: () => void;
}

export function stage(name: Stage["name"], steps: readonly Step[]): Stage {
  return { name, steps, macs: sumMacs(steps), run: () => runSteps(steps) };
}
