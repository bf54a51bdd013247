/** Five latents, int8 to int16. */
import { kernelBench } from "../harness.ts";

export default kernelBench("unpack_s8");
