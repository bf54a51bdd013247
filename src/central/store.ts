import { existsSync } from "node:fs";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { isDraftOf, makeFolder, writeFileAtomic, writeFilesAtomic } from "../io/atomic.ts";
import { npyHeader } from "../io/npy.ts";
import { decodeFrame, frameLength, isSurveyId, type LatentCoder } from "../protocol/index.ts";
import type { ReceivedFrame } from "./assembler.ts";
import { CommitLane } from "./commitLane.ts";
import { retireJournals } from "./committer.ts";
import { recoverResults } from "./journal.ts";

const DRAFT_AGE_MS = 60_000;

const count = z.number().int().nonnegative();
const modelIdText = z.string().regex(/^[0-9a-f]{16}$/);

/** `record.json`: how a record's result came about. */
const recordDocument = z.object({
  survey: z.string().refine(isSurveyId),
  record: z.string().regex(/^\d{1,20}$/),
  modelId: modelIdText,
  /** The WebAssembly module that decoded it. */
  module: z.string(),
  /** 1 for the first result, one more each time a late frame refined it. */
  revision: count,
  devicesPresent: z.array(count),
  devicesMissing: z.array(count),
  frames: z.array(
    z.object({ device: count, acquiredNs: z.string(), receivedMs: count, bytes: count }),
  ),
  /** Latents alone, and frames whole. */
  payloadBytes: count,
  frameBytes: count,
  /** From the record's first frame to the start of its decoding. */
  msWait: z.number(),
  msDecode: z.number(),
  decodedMs: count,
  map: z.object({ shape: z.array(count), dxM: z.number(), unit: z.literal("m/s") }),
  /**
   * On request: relative L2 between the latents of the map's own modelled record and the received
   * ones, over the devices present (docs/trust.md); null when these are all zero.
   */
  latentMisfit: z.number().nonnegative().nullable().optional(),
  check: z.object({ boundary: z.enum(["openfwi", "fast"]), ms: z.number() }).optional(),
});

export type RecordDocument = z.infer<typeof recordDocument>;

/** A committed record, as found on disk. */
export interface StoredRecord {
  readonly document: RecordDocument;
  readonly frames: ReceivedFrame[];
}

/** The parts of one result. */
export interface RecordResult {
  readonly document: RecordDocument;
  /** [rows][columns], m/s. */
  readonly map: Float32Array;
  /** PNG. */
  readonly picture?: Uint8Array;
  readonly frames: readonly ReceivedFrame[];
}

/** What a store may be told. */
export interface StoreOptions {
  /** Reads entropy-coded frames back, and names the model whose frames are wanted. */
  readonly coder?: LatentCoder | undefined;
  /** First results are written by a thread of their own. Default false. */
  readonly thread?: boolean;
}

/**
 * Results on disk: `OUT/{record}/velocity.npy`, `maps.png`, `frames.bin` (the frames, one after the
 * other: what a late frame is combined with) and `record.json`. A folder is renamed into place whole,
 * and many share a sync (`Committer`). Where a late frame refines it, each file is renamed and synced,
 * `record.json` last: it makes the result count.
 */
export class ResultStore {
  readonly #folder: string;
  readonly #survey: string;
  readonly #lane: CommitLane;
  readonly #coder: LatentCoder | undefined;

  /**
   * Creates the folder if need be.
   * @throws the system's error when it cannot be written
   */
  static async open(
    folder: string,
    survey: string,
    options: StoreOptions = {},
  ): Promise<ResultStore> {
    await makeFolder(folder);
    // Shows now, not at the first record, that the folder cannot be written.
    await writeFileAtomic(join(folder, ".epic-central"), `${survey}\n`);
    await removeDrafts(folder);
    return new ResultStore(folder, survey, options);
  }

  private constructor(folder: string, survey: string, { coder, thread = false }: StoreOptions) {
    this.#folder = folder;
    this.#survey = survey;
    this.#lane = new CommitLane(folder, thread);
    this.#coder = coder;
  }

  /**
   * Puts back the results that an earlier process had committed and a power cut has taken from their
   * folders. Call it before anything is committed.
   * @param owns records that no other process works on
   * @returns the records that were put back
   */
  async recover(owns: (record: bigint) => boolean): Promise<readonly bigint[]> {
    const { restored, journals } = await recoverResults(this.#folder, owns);
    // Nothing waits for this: a journal that stays is looked through again at the next start.
    void retireJournals(this.#folder, journals).catch(() => {});
    return restored;
  }

  /** Leaves every result synced in its folder, if the disk does that within a moment. */
  async close(): Promise<void> {
    await this.#lane.close();
  }

  /** The folder of one record's result. */
  folderOf(record: bigint): string {
    return join(this.#folder, record.toString());
  }

  /**
   * What is committed of a record, its frames aside; undefined when there is nothing.
   * @throws Error of one line when it is there but of another survey, or damaged
   */
  async document(record: bigint): Promise<RecordDocument | undefined> {
    const folder = this.folderOf(record);
    // Nearly every record is new: one short call, not a task of the thread pool.
    if (!existsSync(folder)) return undefined;
    const document = await readDocument(folder);
    if (document === undefined) return undefined;
    if (document.survey !== this.#survey) {
      throw new Error(`${folder}: expected survey ${this.#survey}, got ${document.survey}`);
    }
    return document;
  }

  /**
   * The committed result of a record, undefined when there is none.
   * @throws Error of one line when it is there but of another survey, or damaged
   */
  async load(record: bigint): Promise<StoredRecord | undefined> {
    const document = await this.document(record);
    if (document === undefined) return undefined;
    // Frames of another model are of no use here, and its tables not at hand.
    const isOurs = this.#coder === undefined || document.modelId === this.#coder.modelId;
    if (!isOurs) return { document, frames: [] };
    const bytes = await readFile(join(this.folderOf(record), "frames.bin"));
    const received = new Map(document.frames.map((frame) => [frame.device, frame.receivedMs]));
    // A refinement cut short may have left frames that the document does not count yet.
    const frames = splitFrames(bytes, this.#coder).flatMap(({ frame, bytes }) => {
      const receivedMs = received.get(frame.device);
      return receivedMs === undefined ? [] : [{ frame, bytes, receivedMs }];
    });
    return { document, frames };
  }

  /** Commits a result. When this resolves it survives a power cut. One commit of a record at a time. */
  async commit(record: bigint, result: RecordResult): Promise<void> {
    const folder = this.folderOf(record);
    const files = filesOf(result);
    if (result.document.revision === 1) {
      const outcome = await this.#lane.commit(record, files);
      if (outcome === "committed") return;
      if (outcome !== "exists") throw new Error(outcome.error);
    }
    const { "record.json": document, ...others } = files;
    await writeFilesAtomic(folder, others);
    await writeFileAtomic(join(folder, "record.json"), document);
  }
}

function filesOf({ document, map, picture, frames }: RecordResult) {
  return {
    "velocity.npy": [
      npyHeader(document.map.shape),
      new Uint8Array(map.buffer, map.byteOffset, map.byteLength),
    ],
    ...(picture && { "maps.png": picture }),
    "frames.bin": frames.map(({ bytes }) => bytes),
    "record.json": new TextEncoder().encode(`${JSON.stringify(document, null, 2)}\n`),
  };
}

/** Drafts of results that a killed process left. Young ones may be another process's at work. */
async function removeDrafts(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const record = /^\.(\d{1,20})\./.exec(name)?.[1];
    if (record === undefined || !isDraftOf(record, name)) continue;
    const path = join(folder, name);
    const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now());
    if (age > DRAFT_AGE_MS) await rm(path, { recursive: true, force: true });
  }
}

/** The document of a record's folder, undefined when there is no result. @throws Error of one line */
export async function readDocument(folder: string): Promise<RecordDocument | undefined> {
  const text = await readFile(join(folder, "record.json"), "utf8").catch(absent);
  return text === undefined ? undefined : parseDocument(text, folder);
}

/** The document in `text`. @throws Error that names the folder and the first bad field */
function parseDocument(text: string, folder: string): RecordDocument {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`${folder}/record.json: expected JSON, got something else`);
  }
  const parsed = recordDocument.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new Error(`${folder}/record.json: ${issue.path.join(".") || "document"}: ${issue.message}`);
}

/** The frames in `bytes`, one after the other. @throws FrameError */
export function splitFrames(
  bytes: Uint8Array,
  coder: LatentCoder | undefined,
): Pick<ReceivedFrame, "frame" | "bytes">[] {
  const frames: Pick<ReceivedFrame, "frame" | "bytes">[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + frameLength(bytes.subarray(at));
    const part = bytes.subarray(at, end);
    frames.push({ frame: decodeFrame(part, coder), bytes: part });
    at = end;
  }
  return frames;
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT") return undefined;
  throw error;
}
