/** Latent frames from files, checked against one model and grouped by record. */
import { open } from "node:fs/promises";
import type { ModelConfig } from "../model/config.ts";
import {
  decodeFrame,
  FRAME_BYTES_MAX,
  FrameError,
  type FrameHeader,
  type LatentCoder,
  type LatentFrame,
  readFrameHeader,
} from "../protocol/index.ts";

/** The model whose frames are wanted, as a CentralDecoder has it. */
export interface FrameModel {
  readonly config: ModelConfig;
  readonly modelId: string;
  readonly coder: LatentCoder | undefined;
}

/** What the frames of one record hold together. */
export interface FrameRecord {
  readonly survey: string;
  readonly record: bigint;
  /** int8 [devices][slots * channels]; zero where absent. */
  readonly latents: Int8Array;
  /** By device. */
  readonly present: boolean[];
}

/**
 * Reads frame files of one survey. Returns its records by ascending id. Throws an Error that names
 * the file: a damaged frame, one of another model or geometry, a device's second frame of a record.
 */
export async function readFrames(
  paths: readonly string[],
  { config, modelId, coder }: FrameModel,
): Promise<FrameRecord[]> {
  const records = new Map<bigint, FrameRecord>();
  let survey: string | undefined;
  for (const path of paths) {
    const { header, bytes } = await readFrameFile(path);
    checkHeader(path, header, config, modelId);
    const frame = readLatent(path, bytes, coder);
    checkLength(path, frame, config);
    survey ??= frame.survey;
    if (frame.survey !== survey) {
      throw new Error(`${path}: expected a frame of survey ${survey}, got ${frame.survey}`);
    }
    place(path, frame, records, config);
  }
  return [...records.values()].sort((a, b) => (a.record < b.record ? -1 : 1));
}

/** What a frame file says about itself, and its size. Throws as {@link readFrames} for a damaged one. */
export async function readFrameFile(
  path: string,
): Promise<{ header: FrameHeader; bytes: Uint8Array }> {
  const bytes = await readAtMost(path, FRAME_BYTES_MAX + 1);
  return { header: named(path, () => readFrameHeader(bytes)), bytes };
}

/** Throws an Error that names the file and the frame's error code. */
export function readLatent(path: string, bytes: Uint8Array, coder?: LatentCoder): LatentFrame {
  return named(path, () => decodeFrame(bytes, coder));
}

function named<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    throw new Error(`${path}: ${error.message} (${error.code})`);
  }
}

/** The start of a file, whatever its size. */
async function readAtMost(path: string, bytesMax: number): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    if ((await file.stat()).isDirectory()) {
      throw new Error(`${path}: expected a file, got a folder`);
    }
    const buffer = new Uint8Array(bytesMax);
    const { bytesRead } = await file.read(buffer, 0, bytesMax, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function checkHeader(path: string, frame: FrameHeader, config: ModelConfig, modelId: string): void {
  const { geometry } = config;
  const block = geometry.devices[frame.device];
  const checks: [what: string, expected: unknown, got: unknown][] = [
    ["a latent of model", modelId, frame.modelId],
    ["devices", geometry.devices.length, frame.devices],
    ["first receiver", block?.firstReceiver, frame.firstReceiver],
    ["receivers", block?.receivers, frame.receivers],
  ];
  for (const [what, expected, got] of checks) {
    if (expected !== got) throw new Error(`${path}: expected ${what} ${expected}, got ${got}`);
  }
}

function checkLength(path: string, frame: LatentFrame, { latent }: ModelConfig): void {
  const expected = latent.slots * latent.channels;
  if (frame.latent.length !== expected) {
    throw new Error(`${path}: expected latent values ${expected}, got ${frame.latent.length}`);
  }
}

function place(
  path: string,
  frame: LatentFrame,
  records: Map<bigint, FrameRecord>,
  { geometry }: ModelConfig,
): void {
  let entry = records.get(frame.record);
  if (!entry) {
    entry = {
      survey: frame.survey,
      record: frame.record,
      latents: new Int8Array(geometry.devices.length * frame.latent.length),
      present: geometry.devices.map(() => false),
    };
    records.set(frame.record, entry);
  }
  if (entry.present[frame.device]) {
    throw new Error(
      `${path}: expected one frame per device, got a second of device ${frame.device}, ` +
        `record ${frame.record}`,
    );
  }
  entry.present[frame.device] = true;
  entry.latents.set(frame.latent, frame.device * frame.latent.length);
}
