/** The encoder's strided layers, two outputs at a time. Rates count the products of the plain convolution. */
import { kernelBench } from "../harness.ts";

export default kernelBench("conv1d_pairs_s16");
