/** What the page and its two workers say to each other. Arrays are moved, not shared. */
import type { ModelConfig } from "../../../src/model/config.ts";
import type { SurveyGeometry } from "../../../src/physics/index.ts";
import type { InversionInput, InversionOutput } from "./inversion.ts";

/** To the inversion worker: the folder of the model first, then inputs. */
export type InversionRequest =
  | { readonly kind: "load"; readonly modelUrl: string }
  | { readonly kind: "run"; readonly input: InversionInput };

/** From the inversion worker. Each "run" is answered by "done", and later by "misfit" if no other came. */
export type InversionReply =
  | { readonly kind: "loaded"; readonly about: ModelAbout }
  | { readonly kind: "done"; readonly output: InversionOutput }
  | { readonly kind: "misfit"; readonly latentMisfit: number; readonly ms: number }
  | { readonly kind: "failed"; readonly message: string };

export interface ModelAbout {
  readonly config: ModelConfig;
  readonly modelId: string;
  /** Instruction set of the encoder and of the decoder, and why. */
  readonly edgeModule: string;
  readonly centralModule: string;
  readonly moduleReason: string;
  /** Bytes of both halves together. */
  readonly weightsBytes: number;
}

export interface FilmRequest {
  /** [rows][columns], m/s. */
  readonly map: Float32Array;
  readonly shot: number;
  /** The same in every request. */
  readonly survey: SurveyGeometry;
}

export type FilmReply =
  | { readonly kind: "film"; readonly film: Film }
  | { readonly kind: "failed"; readonly message: string };

/** One shot's wavefield over the map. */
export interface Film {
  readonly shot: number;
  /** Pressure, f32 [pictures][rows][columns]. */
  readonly pressure: Float32Array;
  readonly pictures: number;
  /** From one picture, and from the shot to the first one, s. */
  readonly intervalS: number;
}
