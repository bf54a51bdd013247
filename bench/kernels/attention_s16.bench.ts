/** Four heads over 80 tokens, codes of both types: macs are both products; re-ordering and softmax count as time only. */
import { kernelBench } from "../harness.ts";

export default kernelBench("attention_s16");
