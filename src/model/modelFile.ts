import type { ModelConfig } from "./config.ts";
import { parseConfig } from "./parseConfig.ts";
import {
  type DType,
  readSafetensors,
  type Safetensors,
  type Tensor,
  type TensorData,
} from "./safetensors.ts";
import { sha256Hex } from "./sha256.ts";
import { WeightsError } from "./weightsError.ts";

/** The two halves of a model, and the folder-level names of their files. */
export type ModelHalf = "edge" | "central";

/** What TypeScript's ES2023 does not know of an ArrayBuffer. */
interface Resizable {
  readonly resizable?: boolean;
  resize(bytes: number): void;
}

const MODEL_ID_BYTES = 8;
const SHA256_BYTES = 32;
const NOT_FINITE = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** One half of a model, read and checked; tensors are checked when they are asked for. */
export class ModelFile {
  readonly config: ModelConfig;
  /** SHA-256 of the edge half's file, in hex: both halves of a model name the same one. */
  readonly edgeSha256: string;
  private readonly bytes: Uint8Array;
  private readonly tensors: Safetensors["tensors"];

  private constructor(
    config: ModelConfig,
    edgeSha256: string,
    bytes: Uint8Array,
    tensors: Safetensors["tensors"],
  ) {
    this.config = config;
    this.edgeSha256 = edgeSha256;
    this.bytes = bytes;
    this.tensors = tensors;
  }

  /**
   * @param bytes the whole file; kept as long as this is, as tensors are views of it
   * @param half which half the caller can use
   * @throws WeightsError when the bytes are not that half of a model
   */
  static async read(bytes: Uint8Array, half: ModelHalf): Promise<ModelFile> {
    if (!(bytes instanceof Uint8Array)) {
      throw new TypeError(`weights: expected a Uint8Array, got ${typeof bytes}`);
    }
    const file = readSafetensors(bytes);
    const format = file.metadata.get("format");
    if (format !== `epic-${half}`) {
      throw new WeightsError(`weights: expected format epic-${half}, got ${format ?? "none"}`);
    }
    const json = file.metadata.get("config");
    if (json === undefined) throw new WeightsError("weights: expected a config, got none");
    await checkContent(file, json, bytes);
    const sha256 = half === "edge" ? await sha256Hex(bytes) : readSha256(file);
    return new ModelFile(parseConfig(json), sha256, bytes, file.tensors);
  }

  /**
   * Gives the memory of a resizable buffer back to the system; tensors are void from then on. The garbage collector would do it
   * as well, but it does not run because of memory outside its heap until there is a lot of that. For bytes that nobody else has.
   */
  release(): void {
    const buffer = this.bytes.buffer as ArrayBufferLike & Resizable;
    if (buffer.resizable) buffer.resize(0);
  }

  /** First 8 bytes of the edge half's SHA-256, 16 hex digits: what latents are stamped with. */
  get modelId(): string {
    return this.edgeSha256.slice(0, 2 * MODEL_ID_BYTES);
  }

  /** The shape of a tensor, undefined when the file has none of that name. */
  shapeOf(name: string): readonly number[] | undefined {
    return this.tensors.get(name)?.shape;
  }

  /**
   * One tensor's values.
   * @throws WeightsError when it is absent, of another type or shape, or holds NaN or infinity
   */
  tensor<D extends DType>(name: string, dtype: D, shape: readonly number[]): TensorData<D> {
    const tensor = this.tensors.get(name);
    const expected = `${dtype} [${shape}]`;
    if (tensor === undefined) {
      throw new WeightsError(`tensor ${name}: expected ${expected}, got none`);
    }
    const sameShape =
      tensor.shape.length === shape.length && tensor.shape.every((size, i) => size === shape[i]);
    if (tensor.dtype !== dtype || !sameShape) {
      const got = `${tensor.dtype} [${tensor.shape}]`;
      throw new WeightsError(`tensor ${name}: expected ${expected}, got ${got}`, tensor.byteOffset);
    }
    checkFinite(tensor);
    return (tensor as Tensor<D>).data;
  }
}

function checkFinite({ name, dtype, data, byteOffset }: Tensor): void {
  // The engine's own search: at load, code of ours that looks at each value has not been compiled yet.
  if (dtype !== "F32" || !NOT_FINITE.some((value) => data.includes(value))) return;
  const bad = data.findIndex((value) => !Number.isFinite(value));
  throw new WeightsError(
    `tensor ${name}: expected finite values, got ${data[bad]} at ${bad}`,
    byteOffset + bad * data.BYTES_PER_ELEMENT,
  );
}

/** Config and tensors must have the SHA-256 that their exporter stated, if it stated one. */
async function checkContent(file: Safetensors, json: string, bytes: Uint8Array): Promise<void> {
  const stated = file.metadata.get("content_sha256");
  if (stated === undefined) return;
  const text = new TextEncoder().encode(json);
  const found = await sha256Hex(text, bytes.subarray(file.dataStart));
  if (found !== stated) {
    throw new WeightsError(
      `weights: expected content with SHA-256 ${stated.slice(0, 16)}, got ${found.slice(0, 16)}: the file was altered`,
    );
  }
}

function readSha256(file: Safetensors): string {
  const text = file.metadata.get("edge_sha256");
  if (text === undefined || !/^[0-9a-f]{64}$/.test(text)) {
    throw new WeightsError(
      `weights edge_sha256: expected ${2 * SHA256_BYTES} hex digits, got ${text?.length ?? "none"}`,
    );
  }
  return text;
}
