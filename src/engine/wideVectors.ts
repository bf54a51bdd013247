let wide = false;

/**
 * Tells modules opened from now on in this thread that the engine pairs 128-bit operations into
 * 256-bit ones. Nothing in WebAssembly shows it, and it is a property of the process (V8's
 * revectorisation flag), so it is said once and not with every model. It changes no bits.
 */
export function expectWideVectors(): void {
  wide = true;
}

/** Whether that was said. */
export function hasWideVectors(): boolean {
  return wide;
}
