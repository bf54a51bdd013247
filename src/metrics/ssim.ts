import { checkSameLength, normaliseVelocity } from "./normalise.ts";

/** Window and constants of OpenFWI's `pytorch_ssim.py`. */
const WINDOW = 11;
const SIGMA = 1.5;
const C1 = 0.01 ** 2;
const C2 = 0.03 ** 2;

/**
 * Structural similarity as OpenFWI computes it: maps normalised to [-1, 1] and then halved and
 * shifted to [0, 1], an 11 x 11 Gaussian window of sigma 1.5, zero padding of 5, mean over the map.
 * @param a velocities in m/s, [height][width]
 * @param b velocities in m/s, [height][width]
 * @throws RangeError when a length is not height x width
 */
export function ssim(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  height: number,
  width: number,
): number {
  checkSameLength("ssim", a, b);
  if (a.length !== height * width) {
    throw new RangeError(
      `ssim: expected ${height * width} values (${height}x${width}), got ${a.length}`,
    );
  }
  const x = Float64Array.from(a, toUnitRange);
  const y = Float64Array.from(b, toUnitRange);
  const blur = (image: Float64Array) => gaussianBlur(image, height, width);
  const meanX = blur(x);
  const meanY = blur(y);
  const meanXX = blur(x.map((value) => value * value));
  const meanYY = blur(y.map((value) => value * value));
  const meanXY = blur(x.map((value, i) => value * y[i]!));

  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    const mx = meanX[i]!;
    const my = meanY[i]!;
    const covariance = meanXY[i]! - mx * my;
    const variances = meanXX[i]! - mx * mx + (meanYY[i]! - my * my);
    const luminance = (2 * mx * my + C1) / (mx * mx + my * my + C1);
    sum += (luminance * (2 * covariance + C2)) / (variances + C2);
  }
  return sum / x.length;
}

function toUnitRange(mps: number): number {
  return normaliseVelocity(mps) / 2 + 0.5;
}

/** The window is an outer product, so rows and columns are blurred one after the other. */
function gaussianBlur(image: Float64Array, height: number, width: number): Float64Array {
  const along = new Float64Array(image.length);
  for (let row = 0; row < height; row++) blurLine(image, along, row * width, 1, width);
  const both = new Float64Array(image.length);
  for (let column = 0; column < width; column++) blurLine(along, both, column, width, height);
  return both;
}

const KERNEL = gaussianKernel();

function gaussianKernel(): Float64Array {
  const kernel = Float64Array.from({ length: WINDOW }, (_, i) =>
    Math.exp(-((i - (WINDOW >> 1)) ** 2) / (2 * SIGMA ** 2)),
  );
  const sum = kernel.reduce((total, weight) => total + weight, 0);
  return kernel.map((weight) => weight / sum);
}

function blurLine(
  from: Float64Array,
  to: Float64Array,
  start: number,
  step: number,
  count: number,
): void {
  const half = WINDOW >> 1;
  for (let i = 0; i < count; i++) {
    let sum = 0;
    const first = Math.max(0, i - half);
    const last = Math.min(count - 1, i + half);
    for (let j = first; j <= last; j++) sum += KERNEL[j - i + half]! * from[start + j * step]!;
    to[start + i * step] = sum;
  }
}
