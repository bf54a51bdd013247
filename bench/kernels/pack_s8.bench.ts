/** One latent, int16 to int8. */
import { kernelBench } from "../harness.ts";

export default kernelBench("pack_s8");
