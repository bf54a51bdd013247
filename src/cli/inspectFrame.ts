/** `epic inspect` on a latent frame. */
import { formatBytes } from "../io/format.ts";
import { Encoding } from "../protocol/index.ts";
import type { Description } from "./description.ts";
import { readFrameFile } from "./frameFiles.ts";
import { formatFacts } from "./table.ts";

/** Throws an Error with the file and the frame's error code. */
export async function describeFrame(path: string): Promise<Description> {
  const { frame, bytes } = await readFrameFile(path);
  const encoding = frame.encoding === Encoding.nibble ? "packed 4-bit" : "int8";
  const last = frame.firstReceiver + frame.receivers - 1;
  const acquired =
    frame.acquiredNs === 0n
      ? "not known"
      : new Date(Number(frame.acquiredNs / 1_000_000n)).toISOString();
  let low = 127;
  let high = -127;
  for (const code of frame.latent) {
    low = Math.min(low, code);
    high = Math.max(high, code);
  }
  const text = formatFacts([
    ["latent frame", `version 1, ${formatBytes(bytes)}, checksum right`],
    ["survey", frame.survey],
    ["record", String(frame.record)],
    ["device", `${frame.device} of 0 to ${frame.devices - 1}`],
    ["receivers", `${frame.firstReceiver} to ${last}`],
    ["model", frame.modelId],
    ["acquired", acquired],
    ["latent", `${frame.latent.length} values, ${encoding}, codes ${low} to ${high}`],
  ]);
  const { latent, record, acquiredNs, encoding: _, ...fields } = frame;
  return {
    text,
    fields: {
      ...fields,
      encoding,
      bytes,
      record: String(record),
      acquiredNs: String(acquiredNs),
      latentValues: latent.length,
      latentMin: low,
      latentMax: high,
    },
  };
}
