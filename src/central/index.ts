export { CentralDecoder, type DecodeOptions } from "./decoder.ts";
