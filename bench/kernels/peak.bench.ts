/** The ceilings: register and L1 forms of each module's multiply-accumulate. */
import { kernelBench } from "../harness.ts";

export default kernelBench("peak");
