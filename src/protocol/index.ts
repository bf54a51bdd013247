export { ACK_BYTES_MAX, type Ack, committedAcks, decodeAck, encodeAck } from "./ack.ts";
export * from "./clients.ts";
export { crc32c } from "./crc32c.ts";
export {
  decodePayload,
  Encoding,
  encodePayload,
  type LatentEncoding,
} from "./encoding.ts";
export { CLASSES, LatentCoder, type LatentTables, SYMBOLS } from "./entropy.ts";
export {
  CHECKSUM_BYTES,
  decodeFrame,
  decodeLatent,
  encodeFrame,
  FRAME_BYTES_MAX,
  FRAME_OVERHEAD_BYTES,
  FRAME_VERSION,
  type FrameHeader,
  frameLength,
  HEADER_BYTES,
  isSurveyId,
  type LatentFrame,
  PAYLOAD_BYTES_MAX,
  readFrameHeader,
} from "./frame.ts";
export { FRAME_ERROR_CODES, FrameError, type FrameErrorCode } from "./frameError.ts";
export {
  decodeGap,
  decodeGapNotice,
  encodeGap,
  encodeGapNotice,
  GAP_BYTES_MAX,
  type Gap,
  type GapReason,
  inGap,
} from "./gap.ts";
export type { LinkMessage, MessageLink, PublishOptions } from "./link.ts";
export { NIBBLE_STEP } from "./nibble.ts";
export { openSealed, parseJson, sealJson } from "./sealed.ts";
export * from "./topics.ts";
