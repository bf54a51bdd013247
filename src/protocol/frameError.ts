/**
 * Why a frame was refused. The same words go into acknowledgements, logs and metric labels, so they
 * are part of the protocol (docs/protocol.md).
 */
export const FRAME_ERROR_CODES = [
  "truncated",
  "bad-magic",
  "bad-version",
  "bad-encoding",
  "bad-header-length",
  "payload-too-long",
  "extra-bytes",
  "bad-checksum",
  "bad-field",
  "no-tables",
  "entropy-truncated",
  "entropy-extra-bytes",
  "entropy-bad-state",
] as const;

/** Why a frame was refused: one of `FRAME_ERROR_CODES`. */
export type FrameErrorCode = (typeof FRAME_ERROR_CODES)[number];

/** The only error that the frame encoder and decoder throw. */
export class FrameError extends Error {
  override readonly name = "FrameError";
  readonly code: FrameErrorCode;

  constructor(code: FrameErrorCode, message: string) {
    super(`frame: ${message}`);
    this.code = code;
  }
}
