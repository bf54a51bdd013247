/** The decoder's last layer, one channel out of sixteen, to m/s. */
import { kernelBench } from "../harness.ts";

export default kernelBench("conv_velocity");
