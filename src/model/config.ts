/**
 * What a weights file says about itself: the survey it was trained for and every layer's size. It
 * travels as JSON in the metadata of both files, so the runtime holds no size of its own.
 */
export interface ModelConfig {
  readonly name: string;
  /** Of this description; 1. */
  readonly format: 1;
  readonly geometry: Geometry;
  readonly latent: LatentShape;
  readonly input: InputStage;
  readonly edge: { readonly layers: readonly Conv1dLayer[] };
  readonly central: CentralConfig;
  /** The training run (seed, commit, recipe); not read by the runtime. */
  readonly training: Readonly<Record<string, unknown>>;
  /** Scores on the training side's test sets; not read by the runtime. */
  readonly metrics: Readonly<Record<string, unknown>>;
}

/** The survey: what is recorded, by whom, and the map it is turned into. */
export interface Geometry {
  readonly shots: number;
  readonly samples: number;
  readonly receivers: number;
  readonly dtMs: number;
  readonly dxM: number;
  /** Rows (depth) and columns of the velocity map. */
  readonly map: readonly [number, number];
  /** Lowest and highest velocity of a map. */
  readonly velocityMps: readonly [number, number];
  readonly devices: readonly DeviceBlock[];
  /** Peak frequency of the source pulse, Hz; 15, OpenFWI's, when absent. */
  readonly peakHz?: number;
  /** Map columns of sources and receivers; spread evenly over the line when absent. */
  readonly sourceColumns?: readonly number[];
  readonly receiverColumns?: readonly number[];
}

/** One device's contiguous block of receivers. */
export interface DeviceBlock {
  readonly firstReceiver: number;
  readonly receivers: number;
}

/** A device's latent: `slots` rows of `channels` values in -127..127. */
export interface LatentShape {
  readonly slots: number;
  readonly channels: number;
}

/** Low-pass, decimation and companding of the traces (docs/numbers.md, "Input stage"). */
export interface InputStage {
  readonly decimation: number;
  readonly taps: readonly number[];
  readonly gain: number;
  readonly compand: number;
  readonly step: number;
}

/** Element types of activations (docs/numbers.md, "Element types"). */
export type Element = "s16" | "u7" | "s8" | "f32";

/** One layer of the encoder: channels in and out, along time. */
export interface Conv1dLayer {
  readonly name: string;
  readonly kind: "conv1d";
  readonly in: number;
  readonly out: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly input: "s16" | "u7";
  readonly output: "s16" | "u7" | "s8";
}

/** `conv2d`: 3x3, padding 1. `convT2d`: kernel 4, stride 2, padding 1, doubles height and width. */
export interface ImageLayer {
  readonly name: string;
  readonly kind: "conv2d" | "convT2d";
  readonly in: number;
  readonly out: number;
  readonly input: "s16" | "u7";
  readonly output: "s16" | "u7" | "f32";
}

/** The central half: tokens, fusion among them, the questions of the map, the decoder. */
export interface CentralConfig {
  readonly width: number;
  readonly heads: number;
  readonly mlp: number;
  /** Added to the variance in layer norms. */
  readonly eps: number;
  /**
   * What norms and attention leave for the dense layers behind them; "s16" when absent. As "u7", the file has a scale and
   * a zero for each of their channels.
   */
  readonly activations?: "s16" | "u7";
  /** Codes per standard deviation of what a norm leaves as s16. */
  readonly qscale: number;
  readonly fusionBlocks: number;
  readonly crossBlocks: number;
  /** Rows and columns of the query grid, the decoder's first image. */
  readonly grid: readonly [number, number];
  /** By block: `fusion0`, ..., `cross0`, ... */
  readonly attention: Readonly<Record<string, AttentionScales>>;
  readonly decoder: readonly ImageLayer[];
}

/** One block's factors to scores and back to codes (docs/numbers.md, "Attention"). */
export interface AttentionScales {
  readonly scoreScale: number;
  /** Absent where the output is u7, which has a scale for each channel. */
  readonly outScale?: number;
}
