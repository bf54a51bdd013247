import { crc32c } from "./crc32c.ts";
import { decodePayload, Encoding, encodePayload, type LatentEncoding } from "./encoding.ts";
import type { LatentCoder } from "./entropy.ts";
import { FrameError } from "./frameError.ts";

/** "EPIC" as the four bytes stand on the wire. */
const MAGIC = [0x45, 0x50, 0x49, 0x43] as const;
/** Version of the frame layout; a decoder refuses every other. */
export const FRAME_VERSION = 1;
/** Bytes of the header, the payload's length among them. */
export const HEADER_BYTES = 60;
/** Bytes of the CRC-32C behind the payload. */
export const CHECKSUM_BYTES = 4;
/** Header and checksum: what a frame costs on top of its payload. */
export const FRAME_OVERHEAD_BYTES = HEADER_BYTES + CHECKSUM_BYTES;
/** Sixteen times today's latent; a receiver never has to hold more per frame. */
export const PAYLOAD_BYTES_MAX = 16384;
/** Longest frame that is encoded or read. */
export const FRAME_BYTES_MAX = FRAME_OVERHEAD_BYTES + PAYLOAD_BYTES_MAX;
const SURVEY_BYTES_MAX = 16;

/** One device's latent of one record, with all that the central node needs to place it. */
export interface LatentFrame {
  encoding: LatentEncoding;
  /** First 8 bytes of the SHA-256 of the edge weights, 16 lower-case hex digits. */
  modelId: string;
  /** 1 to 16 characters of [a-z0-9-]. */
  survey: string;
  /** Record number within the survey, 0 .. 2^64 - 1. */
  record: bigint;
  /** This device and how many there are, 0 <= device < devices <= 65535. */
  device: number;
  devices: number;
  /** The contiguous block of receivers that the device holds. */
  firstReceiver: number;
  receivers: number;
  /** Time of the first sample, ns since 1970-01-01 UTC; 0 = not known. */
  acquiredNs: bigint;
  /** Latent codes, -127..127. */
  latent: Int8Array;
}

/** All of a frame but the latent, which takes the model's tables to read when it is entropy-coded. */
export interface FrameHeader extends Omit<LatentFrame, "latent"> {
  /** A view of the frame's bytes. */
  payload: Uint8Array;
}

/**
 * The bytes of a frame, in a fresh array.
 * @param coder of the frame's model; only encoding 2 needs it
 * @throws FrameError "bad-field", "payload-too-long", "bad-encoding", "no-tables"
 */
export function encodeFrame(frame: LatentFrame, coder?: LatentCoder): Uint8Array {
  checkEncoding(frame.encoding);
  checkFields(frame);
  if (frame.latent.length === 0) throw badField("latent", "at least one code", 0);
  const payload = encodePayload(frame.latent, frame.encoding, ofModel(coder, frame.modelId));
  if (payload.length > PAYLOAD_BYTES_MAX) throw payloadTooLong(payload.length);
  const bytes = new Uint8Array(FRAME_OVERHEAD_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC, 0);
  view.setUint8(4, FRAME_VERSION);
  view.setUint8(5, frame.encoding);
  view.setUint16(6, HEADER_BYTES, true);
  for (let i = 0; i < 8; i++) {
    bytes[8 + i] = Number.parseInt(frame.modelId.slice(2 * i, 2 * i + 2), 16);
  }
  for (let i = 0; i < frame.survey.length; i++) bytes[16 + i] = frame.survey.charCodeAt(i);
  view.setBigUint64(32, frame.record, true);
  view.setUint16(40, frame.device, true);
  view.setUint16(42, frame.devices, true);
  view.setUint16(44, frame.firstReceiver, true);
  view.setUint16(46, frame.receivers, true);
  view.setBigUint64(48, frame.acquiredNs, true);
  view.setUint32(56, payload.length, true);
  bytes.set(payload, HEADER_BYTES);
  const end = HEADER_BYTES + payload.length;
  view.setUint32(end, crc32c(bytes.subarray(0, end)), true);
  return bytes;
}

/**
 * Reads one frame that fills `bytes` exactly. Nothing is copied before length and checksum are
 * right; the frame returned owns its latent.
 * @param coder of the model whose frames are expected; only encoding 2 needs it
 * @throws FrameError, never anything else; the order of checks is that of docs/protocol.md
 */
export function decodeFrame(bytes: Uint8Array, coder?: LatentCoder): LatentFrame {
  return decodeLatent(readFrameHeader(bytes), coder);
}

/**
 * The frame of a header that was read before: the second half of {@link decodeFrame}.
 * @throws FrameError
 */
export function decodeLatent(header: FrameHeader, coder?: LatentCoder): LatentFrame {
  const { payload, ...fields } = header;
  const latent = decodePayload(payload, fields.encoding, ofModel(coder, fields.modelId));
  if (latent.length === 0) throw badField("latent", "at least one code", 0);
  return { ...fields, latent };
}

/**
 * Reads all of a frame but its latent: length, checksum and fields are checked as by
 * {@link decodeFrame}, the payload is not looked at.
 * @throws FrameError
 */
export function readFrameHeader(bytes: Uint8Array): FrameHeader {
  const length = frameLength(bytes);
  if (bytes.length < length) {
    throw new FrameError("truncated", `expected ${length} bytes, got ${bytes.length}`);
  }
  if (bytes.length > length) {
    throw new FrameError("extra-bytes", `expected ${length} bytes, got ${bytes.length}`);
  }
  const view = viewOf(bytes);
  const end = length - CHECKSUM_BYTES;
  const stated = view.getUint32(end, true);
  const actual = crc32c(bytes.subarray(0, end));
  if (stated !== actual) {
    throw new FrameError(
      "bad-checksum",
      `checksum: expected ${hex32(actual)}, got ${hex32(stated)}`,
    );
  }
  const header: FrameHeader = {
    encoding: view.getUint8(5) as LatentEncoding,
    modelId: hex32(view.getUint32(8)) + hex32(view.getUint32(12)),
    survey: readSurvey(bytes.subarray(16, 16 + SURVEY_BYTES_MAX)),
    record: view.getBigUint64(32, true),
    device: view.getUint16(40, true),
    devices: view.getUint16(42, true),
    firstReceiver: view.getUint16(44, true),
    receivers: view.getUint16(46, true),
    acquiredNs: view.getBigUint64(48, true),
    payload: bytes.subarray(HEADER_BYTES, end),
  };
  checkFields(header);
  return header;
}

/** Another model's tables would read any payload as something. */
function ofModel(coder: LatentCoder | undefined, modelId: string): LatentCoder | undefined {
  return coder?.modelId === modelId ? coder : undefined;
}

/**
 * Length in bytes of the frame that starts at the beginning of `bytes`, from its header alone: what
 * a stream reader needs before it buffers anything. At most {@link FRAME_BYTES_MAX}.
 * @throws FrameError when the header is incomplete ("truncated") or not acceptable
 */
export function frameLength(bytes: Uint8Array): number {
  if (bytes.length < HEADER_BYTES) {
    throw new FrameError(
      "truncated",
      `expected at least ${HEADER_BYTES} header bytes, got ${bytes.length}`,
    );
  }
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new FrameError("bad-magic", "magic: expected EPIC, got something else");
  }
  const view = viewOf(bytes);
  const version = view.getUint8(4);
  if (version !== FRAME_VERSION) {
    throw new FrameError("bad-version", `version: expected ${FRAME_VERSION}, got ${version}`);
  }
  const headerBytes = view.getUint16(6, true);
  if (headerBytes !== HEADER_BYTES) {
    throw new FrameError(
      "bad-header-length",
      `header length: expected ${HEADER_BYTES}, got ${headerBytes}`,
    );
  }
  checkEncoding(view.getUint8(5));
  const payloadBytes = view.getUint32(56, true);
  if (payloadBytes > PAYLOAD_BYTES_MAX) throw payloadTooLong(payloadBytes);
  return FRAME_OVERHEAD_BYTES + payloadBytes;
}

/** True for a survey name that fits the header and an MQTT topic level: 1-16 of [a-z0-9-]. */
export function isSurveyId(text: string): boolean {
  return /^[a-z0-9-]{1,16}$/.test(text);
}

function checkEncoding(encoding: number): void {
  if (!Object.values(Encoding).includes(encoding as LatentEncoding)) {
    throw new FrameError("bad-encoding", `encoding: expected 0, 1 or 2, got ${encoding}`);
  }
}

function checkFields(frame: Omit<LatentFrame, "latent">): void {
  if (!/^[0-9a-f]{16}$/.test(frame.modelId)) {
    throw badField("modelId", "16 lower-case hex digits", frame.modelId);
  }
  if (!isSurveyId(frame.survey)) throw badField("survey", "1-16 of [a-z0-9-]", frame.survey);
  checkUint64("record", frame.record);
  checkUint64("acquiredNs", frame.acquiredNs);
  checkUint16("devices", frame.devices, 1);
  checkUint16("device", frame.device, 0);
  checkUint16("receivers", frame.receivers, 1);
  checkUint16("firstReceiver", frame.firstReceiver, 0);
  if (frame.device >= frame.devices) {
    throw badField("device", `less than devices (${frame.devices})`, frame.device);
  }
}

function checkUint16(name: string, value: number, min: number): void {
  if (!Number.isInteger(value) || value < min || value > 0xffff) {
    throw badField(name, `an integer ${min}..65535`, value);
  }
}

function checkUint64(name: string, value: bigint): void {
  if (typeof value !== "bigint" || value < 0n || value > 0xffff_ffff_ffff_ffffn) {
    throw badField(name, "a bigint 0..2^64-1", value);
  }
}

function readSurvey(field: Uint8Array): string {
  let name = "";
  let at = 0;
  while (at < field.length && field[at] !== 0) name += String.fromCharCode(field[at++]!);
  while (at < field.length && field[at] === 0) at++;
  if (at < field.length) {
    throw new FrameError("bad-field", "survey: expected zeros after the name, got other bytes");
  }
  return name;
}

function badField(name: string, expected: string, got: unknown): FrameError {
  return new FrameError(
    "bad-field",
    `${name}: expected ${expected}, got ${JSON.stringify(String(got))}`,
  );
}

function payloadTooLong(bytes: number): FrameError {
  return new FrameError(
    "payload-too-long",
    `payload: expected at most ${PAYLOAD_BYTES_MAX} bytes, got ${bytes}`,
  );
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function hex32(value: number): string {
  return value.toString(16).padStart(8, "0");
}
