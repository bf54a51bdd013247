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
 * 2^-83. (x + 2^-83) - 2^-83 is x rounded to a multiple of 2^-106, zero for the smallest: no
 * pressure and no product of one becomes subnormal ahead of the wave, where WebAssembly, which has
 * no flush-to-zero, would run several times slower. Pressures of interest are above 1e-6.
 */
export const FLUSH = memory.data<f32>([1.0339757656912846e-25, 1.0339757656912846e-25, 1.0339757656912846e-25, 1.0339757656912846e-25], 16);
