export { EdgeEncoder, type EncodeOptions } from "./encoder.ts";
