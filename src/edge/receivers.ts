import type { DeviceBlock } from "../model/config.ts";

/**
 * One device's block of receivers of a record.
 * record  [shots * samples][receivers]
 * out     [shots * samples][block.receivers], written whole and returned
 */
export function selectReceivers(
  record: Float32Array,
  receivers: number,
  block: DeviceBlock,
  out: Float32Array,
): Float32Array {
  for (let row = 0; row < record.length / receivers; row++) {
    const from = row * receivers + block.firstReceiver;
    out.set(record.subarray(from, from + block.receivers), row * block.receivers);
  }
  return out;
}
