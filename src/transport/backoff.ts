/**
 * Waiting time before attempt `attempt` (0, 1, 2 ...): doubles from `firstMs` to `maxMs`, of which
 * the upper half is random, so that devices cut off together do not come back together.
 * @param random in [0, 1)
 */
export function backoffMs(
  attempt: number,
  random: number,
  { firstMs = 250, maxMs = 30_000 } = {},
): number {
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30));
  return full * (0.5 + 0.5 * random);
}
