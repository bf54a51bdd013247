/** Statistics of velocity maps; every map is [70][70], m/s, row = depth. */
export interface LayerStatistics {
  /** Share of maps by number of visible layers, index = layers. */
  shares: number[];
  /** Mean thickness of layers that both edges of the map leave whole, rows. */
  thickness: number;
}

export interface CurveStatistics {
  /** Share of maps with an interface that stays inside the map. */
  share: number;
  /** 5, 50 and 95 percentile of the peak-to-peak height of a map's curve, rows. */
  height: [number, number, number];
  /** Deviation of the curve in every column about its mean over columns, rows. */
  deviation: number[];
  /** Deviations along the principal components, largest first, rows. */
  components: number[];
}

/** Mean and deviation over all cells of all maps, m/s. */
export function labelStatistics(maps: readonly Float32Array[]): { mean: number; std: number };
/** Mean and deviation of one row over all maps, m/s. */
export function rowStatistics(
  maps: readonly Float32Array[],
  row: number,
): { mean: number; std: number };
/** Layers along the first column, for maps of level layers. */
export function layerStatistics(maps: readonly Float32Array[]): LayerStatistics;
/** Interface curves of maps whose velocity grows with depth. */
export function curveStatistics(maps: readonly Float32Array[]): CurveStatistics;
