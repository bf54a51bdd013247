/** The map's 4900 pixels, clamped. */
import { kernelBench } from "../harness.ts";

export default kernelBench("velocity_f32");
