import { log2FromOne } from "../lib/log2";
import { rintClamp } from "../lib/round";

/** Scalar twin of kernels/input_stage.ts, the same arguments and bits. */
export function input_stage(
  x: usize,
  shots: i32,
  samples: i32,
  receivers: i32,
  taps: usize,
  tapCount: i32,
  decimation: i32,
  gain: f32,
  compand: f32,
  step: f32,
  out: usize,
  outRows: i32,
  outStride: usize,
): void {
  for (let t = 0; t < outRows; t++) {
    const first = t * decimation - tapCount / 2;
    for (let shot = 0; shot < shots; shot++) {
      for (let r = 0; r < receivers; r++) {
        let y: f32 = 0;
        for (let k = max(0, -first); k < min(tapCount, samples - first); k++) {
          const index = (shot * samples + first + k) * receivers + r;
          y += load<f32>(taps + (<usize>k << 2)) * load<f32>(x + (<usize>index << 2));
        }
        const a = abs<f32>(y * gain) * compand + <f32>1.0;
        const q = rintClamp(log2FromOne(a) * step, 0, 16383);
        const channel = <usize>(shot * receivers + r);
        store<i16>(out + <usize>t * outStride + (channel << 1), y < 0 ? -q : q);
      }
    }
  }
}
