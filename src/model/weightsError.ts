/**
 * A weights file that cannot be used: truncated, altered, of another format, or of shapes that its
 * own config does not describe.
 */
export class WeightsError extends Error {
  override readonly name = "WeightsError";
  /** Where in the file the fault lies, in bytes from its start; absent when it has no one place. */
  readonly byteOffset: number | undefined;

  constructor(message: string, byteOffset?: number) {
    super(byteOffset === undefined ? message : `${message} (at byte ${byteOffset})`);
    this.byteOffset = byteOffset;
  }
}
