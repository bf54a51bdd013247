/**
 * Layers that read int16: the first convolution, the projections of the transformer, the first upsampling. The
 * same instructions in simd and relaxed; the epilogue weighs most where K is 64 or 96.
 */
import { kernelBench } from "../harness.ts";

export default kernelBench("igemm_s16");
