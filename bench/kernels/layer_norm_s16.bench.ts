/** 80 tokens of width 96. */
import { kernelBench } from "../harness.ts";

export default kernelBench("layer_norm_s16");
