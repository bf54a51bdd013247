/** The least that an edge device imports: what this weighs is what the device downloads. */
import { EdgeEncoder } from "epic-wasm/edge";

const encoder = await EdgeEncoder.load();
document.title = encoder.modelId;
