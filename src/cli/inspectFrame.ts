/** `epic inspect` on a latent frame. */
import { formatBytes } from "../io/format.ts";
import { loadModelHalf } from "../io/modelFiles.ts";
import { readLatentTables } from "../model/latentTables.ts";
import { ModelFile } from "../model/modelFile.ts";
import {
  Encoding,
  FRAME_OVERHEAD_BYTES,
  type FrameHeader,
  LatentCoder,
} from "../protocol/index.ts";
import type { Description } from "./description.ts";
import { describeEncoding } from "./encodingOption.ts";
import { readFrameFile, readLatent } from "./frameFiles.ts";
import { formatFacts } from "./table.ts";

/** Throws an Error with the file and the frame's error code. */
export async function describeFrame(path: string): Promise<Description> {
  const { header, bytes } = await readFrameFile(path);
  const encoding = describeEncoding(header.encoding);
  const latent = await readCodes(path, header, bytes);
  const payloadBytes = bytes.length - FRAME_OVERHEAD_BYTES;
  const last = header.firstReceiver + header.receivers - 1;
  const acquired =
    header.acquiredNs === 0n
      ? "not known"
      : new Date(Number(header.acquiredNs / 1_000_000n)).toISOString();
  const codes =
    latent === undefined
      ? `${encoding}, ${payloadBytes} bytes; the shipped model has no tables for it`
      : `${latent.length} values, ${encoding}, codes ${latent.reduce(min)} to ${latent.reduce(max)}`;
  const text = formatFacts([
    ["latent frame", `version 1, ${formatBytes(bytes.length)}, checksum right`],
    ["survey", header.survey],
    ["record", String(header.record)],
    ["device", `${header.device} of 0 to ${header.devices - 1}`],
    ["receivers", `${header.firstReceiver} to ${last}`],
    ["model", header.modelId],
    ["acquired", acquired],
    ["latent", codes],
  ]);
  const { payload: _, record, acquiredNs, ...fields } = header;
  return {
    text,
    fields: {
      ...fields,
      encoding,
      bytes: bytes.length,
      payloadBytes,
      record: String(record),
      acquiredNs: String(acquiredNs),
      ...(latent && {
        latentValues: latent.length,
        latentMin: latent.reduce(min),
        latentMax: latent.reduce(max),
      }),
    },
  };
}

/** Undefined for an entropy-coded frame of a model other than the shipped one. */
async function readCodes(
  path: string,
  { encoding, modelId }: FrameHeader,
  bytes: Uint8Array,
): Promise<Int8Array | undefined> {
  if (encoding !== Encoding.entropy) return readLatent(path, bytes).latent;
  const file = await ModelFile.read(await loadModelHalf("edge"), "edge");
  const tables = readLatentTables(file);
  if (tables === undefined || file.modelId !== modelId) return undefined;
  return readLatent(path, bytes, new LatentCoder(modelId, tables)).latent;
}

const min = (a: number, b: number) => Math.min(a, b);
const max = (a: number, b: number) => Math.max(a, b);
