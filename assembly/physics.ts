/**
 * physics.wasm: acoustic forward modelling. No imports, one exported memory, raw pointers.
 *
 * The host lays out an `AcousticGrid` and its arrays above `heap_base()`, zeroes the wavefields and
 * calls `acoustic2d_shot` once per shot.
 */
import { setWindow, stepGrid } from "./acousticStep";
import { AcousticGrid } from "./lib/acousticGrid";

/** First byte of memory that is the host's. */
export function heap_base(): usize {
  return __heap_base;
}

/** Steps that share one window of `acoustic2d_shot`. */
const WINDOW_STEPS: u32 = 8;

/** One time step of `grid` in its present window, without a source. */
export function acoustic2d_step(grid: usize): void {
  stepGrid(changetype<AcousticGrid>(grid));
}

/**
 * Runs one shot: `steps` time steps; after step i `pulse[i]` is added at the source (i < pulseLength),
 * then the pressure at all receivers is recorded in row i of `record`.
 * source     byte offset of the source cell from `p`
 * pulse      f32 [pulseLength]
 * receivers  u32 [receiverCount], byte offsets from `p`
 * record     f32 [steps][receiverCount], written whole; must not overlap the grid
 * windows    u32 [ceil(steps / 8)][4], the grid's top, bottom, left and right for 8 steps each, at least two
 *            rows high; 0 leaves the grid's own window
 */
export function acoustic2d_shot(
  grid: usize, source: u32, pulse: usize, pulseLength: u32,
  receivers: usize, receiverCount: u32, record: usize, steps: u32, windows: usize,
): void {
  const g = changetype<AcousticGrid>(grid);
  const receiversEnd = receivers + (<usize>receiverCount << 2);
  for (let step: u32 = 0; step < steps; step++) {
    if (windows && step % WINDOW_STEPS == 0) {
      const w = windows + ((step / WINDOW_STEPS) << 4);
      setWindow(g, load<u32>(w), load<u32>(w, 4), load<u32>(w, 8), load<u32>(w, 12));
    }
    stepGrid(g);
    if (step < pulseLength) inject(g, source, load<f32>(pulse + (<usize>step << 2)));
    for (let r = receivers; r < receiversEnd; r += 4) {
      store<f32>(record, load<f32>(g.p + load<u32>(r)));
      record += 4;
    }
  }
}

function inject(g: AcousticGrid, source: u32, amount: f32): void {
  store<f32>(g.p + source, load<f32>(g.p + source) + amount);
  store<f32>(g.d + source, load<f32>(g.d + source) + amount);
}
