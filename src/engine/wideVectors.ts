/**
 * Where it is noted: on the global object, because it is true of the whole thread, and what says it and what asks may be
 * copies of this file in different bundles.
 */
const NOTE = Symbol.for("epic-wasm: wide vectors");

const thread = globalThis as { [NOTE]?: boolean };

/**
 * Tells modules opened from now on in this thread that the engine pairs 128-bit operations into
 * 256-bit ones. Nothing in WebAssembly shows it, and it is a property of the process (V8's
 * revectorisation flag), so it is said once and not with every model. It changes no bits.
 */
export function expectWideVectors(): void {
  thread[NOTE] = true;
}

/** Whether that was said. */
export function hasWideVectors(): boolean {
  return thread[NOTE] === true;
}
