/** One kernel call of a plan, its arguments fixed when the model was loaded. */
export interface Step {
  /** Layer and part, as in `fusion0.qkv` or `dec4 phase 3`. */
  readonly name: string;
  /** Multiply-accumulates that count: padding rows and channels do not. */
  readonly macs: number;
  readonly run: () => void;
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
