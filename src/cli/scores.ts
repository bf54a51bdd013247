/** OpenFWI's figures over a set of maps. */
import { type MapScore, scoreMap } from "../metrics/index.ts";

export interface SetScore extends MapScore {
  /** Number of maps. */
  readonly n: number;
}

/**
 * Sums scores of single maps. MAE and SSIM are means over the maps; RMSE is the root of the mean
 * over the whole set, as OpenFWI takes it.
 */
export class ScoreSum {
  #n = 0;
  #mae = 0;
  #ssim = 0;
  #maeMps = 0;
  #square = 0;

  /** Maps in m/s, [rows][columns]. Returns the score of this one. */
  add(prediction: Float32Array, truth: Float32Array, rows: number): MapScore {
    const score = scoreMap(prediction, truth, rows);
    this.addScore(score);
    return score;
  }

  addScore({ mae, rmse, ssim, maeMps }: MapScore): void {
    this.#n++;
    this.#mae += mae;
    this.#ssim += ssim;
    this.#maeMps += maeMps;
    this.#square += rmse ** 2;
  }

  /** Undefined before the first map. */
  result(): SetScore | undefined {
    const n = this.#n;
    if (n === 0) return undefined;
    return {
      n,
      ssim: this.#ssim / n,
      mae: this.#mae / n,
      rmse: Math.sqrt(this.#square / n),
      maeMps: this.#maeMps / n,
    };
  }
}
