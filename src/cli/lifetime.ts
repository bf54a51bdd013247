/** How long a service process runs: until a signal, or until the process that started it is gone. */

/**
 * Aborts on the first SIGINT or SIGTERM (a second one ends the process at once), and when the
 * parent's IPC channel closes, if there is one, so that no child outlives a killed parent.
 */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  const abort = () => stop.abort();
  process.once("SIGINT", abort).once("SIGTERM", abort);
  // `send` exists in a process that was started with a channel, even if it has closed since.
  if (process.send !== undefined) {
    if (!process.connected) abort();
    process.once("disconnect", abort);
    // The channel alone must not keep the process alive.
    process.channel?.unref();
  }
  return stop.signal;
}

/** Resolves when `signal` aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
