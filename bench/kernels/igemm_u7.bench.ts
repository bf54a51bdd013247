/**
 * Layers that read activations after ReLU. simd and scalar run them through igemm_s16 on int16 copies, relaxed through
 * igemm_u7: its rows are measured against the higher peak of relaxed products. dec7 has one useful channel of eight.
 */
import { kernelBench } from "../harness.ts";

export default kernelBench("igemm_u7");
