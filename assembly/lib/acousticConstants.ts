/**
 * Vector constants of the acoustic kernels, in memory: a splat outside a loop is folded into a
 * constant that V8 rebuilds in every iteration, a load into a local is not.
 */

/** Four lanes of 4. */
export const FOUR = memory.data<f32>([4, 4, 4, 4], 16);
/** Four lanes of 8. */
export const EIGHT = memory.data<f32>([8, 8, 8, 8], 16);
/** Four lanes of 16. */
export const SIXTEEN = memory.data<f32>([16, 16, 16, 16], 16);
/** Four lanes of 30. */
export const THIRTY = memory.data<f32>([30, 30, 30, 30], 16);

/**
 * 2^-63. (x + 2^-63) - 2^-63 is x rounded to a multiple of 2^-86, so that neither a pressure nor a
 * product of one with a few coefficients is subnormal ahead of the wave: WebAssembly has no
 * flush-to-zero, and subnormals run several times slower. Records hold pressures above 1e-6.
 */
export const FLUSH = memory.data<f32>(
  [1.0842021724855044e-19, 1.0842021724855044e-19, 1.0842021724855044e-19, 1.0842021724855044e-19],
  16,
);
