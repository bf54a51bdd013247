/** Low-pass, decimation and companding of one device's record of 70,000 samples. */
import { kernelBench } from "../harness.ts";

export default kernelBench("input_stage");
