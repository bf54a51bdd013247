/** A residual sum of 80 tokens. */
import { kernelBench } from "../harness.ts";

export default kernelBench("add_f32");
