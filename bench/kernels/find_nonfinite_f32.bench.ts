/** The check of one device's traces. */
import { kernelBench } from "../harness.ts";

export default kernelBench("find_nonfinite_f32");
