/** One figure triple of the published benchmark. */
export interface PublishedScore {
  readonly mae: number;
  readonly rmse: number;
  readonly ssim: number;
}
/** Names of the published models. */
export const columns: readonly string[];
/** family -> one score per column. */
export const published: Readonly<Record<string, readonly PublishedScore[]>>;
