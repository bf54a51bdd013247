/** Scalar twin of kernels/largest_sum4.ts, the same arguments and result. */
export function largest_sum4(b: usize, bytes: i32): i32 {
  let largest = 0;
  for (const end = b + <usize>bytes; b < end; b += 64) {
    for (let pair: usize = 0; pair < 32; pair += 2) {
      let above = 0;
      let below = 0;
      for (let i: usize = 0; i < 4; i++) {
        const weight = <i32>load<i8>(b + pair + (i & 1) + ((i & 2) << 4));
        above += max(weight, 0);
        below += max(-weight, 0);
      }
      largest = max(largest, max(above, below));
    }
  }
  return largest;
}
