/**
 * exp(x) from + - * / alone, so that every JavaScript engine returns the same bits (`Math.exp` is
 * implementation-defined). Within 2 ulp of the true value for -700 <= x <= 700.
 */
export function exactExp(x: number): number {
  const halvings = Math.round(x / Math.LN2);
  // ln 2 in two parts: the first has 21 trailing zero bits, so its product is exact.
  const r = x - halvings * 0.6931471803691238 - halvings * 1.9082149292705877e-10;
  let sum = 1;
  for (let n = 14; n >= 1; n--) sum = 1 + (r / n) * sum;
  const factor = halvings < 0 ? 0.5 : 2;
  for (let n = Math.abs(halvings); n > 0; n--) sum *= factor;
  return sum;
}

/**
 * The Ricker pulse of OpenFWI's modeller, cut to 2.2 periods: n = 2 floor(2.2 / (f dt) / 2) + 1
 * samples, (1 - 2 b) exp(-b) with b = (pi f dt (k - (n - 1) / 2))^2; peak 1 in the middle.
 * At 15 Hz and 1 ms: 147 samples, peak at index 73. Zero afterwards.
 */
export function ricker(peakHz: number, sampleS: number): Float64Array {
  const half = Math.floor(2.2 / (peakHz * sampleS) / 2);
  return Float64Array.from({ length: 2 * half + 1 }, (_, k) => {
    const phase = Math.PI * peakHz * sampleS * (k - half);
    const b = phase * phase;
    return (1 - 2 * b) * exactExp(-b);
  });
}
