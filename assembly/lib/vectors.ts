/**
 * Vector constants of the SIMD kernels, in linear memory. A literal would be folded into every use and rebuilt by the
 * engine in each iteration of a hot loop (V8: 1.5x slower polynomials, 1.6x slower u7 products); a load stays a load.
 * Each name is the address of 16 bytes below `heap_base()`.
 */
export const MAGIC: usize = memory.data<f32>([12582912.0, 12582912.0, 12582912.0, 12582912.0], 16);
export const ONES_I16: usize = memory.data<i16>([1, 1, 1, 1, 1, 1, 1, 1], 16);
export const ONE_F32: usize = memory.data<f32>([1, 1, 1, 1], 16);
