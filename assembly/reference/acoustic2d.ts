/** Scalar twin of `kernels/acoustic2d.ts`. */
import { AcousticGrid } from "../lib/acousticGrid";
export function acoustic2d_step(g: AcousticGrid): void {
  unreachable();
}
