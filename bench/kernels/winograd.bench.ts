/**
 * The decoder's convolutions by tiles. Rates count the products of the plain convolution, so that they compare with igemm's.
 */
import { kernelBench } from "../harness.ts";

export default kernelBench("winograd");
