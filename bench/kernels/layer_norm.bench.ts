/** 80 tokens of width 128. */
import { kernelBench } from "../harness.ts";

export default kernelBench("layer_norm");
