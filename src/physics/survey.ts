/** A cell of the map. Row 0 is the surface. */
export interface GridPoint {
  readonly row: number;
  readonly column: number;
}

/** What is fired where, what is recorded where, and on which grid. */
export interface SurveyGeometry {
  /** Cells of the map from the surface down. */
  readonly rows: number;
  /** Cells of the map from left to right. */
  readonly columns: number;
  /** Width and height of a cell, m. */
  readonly spacingM: number;
  /** Time from one sample, and one step of the scheme, to the next, s. */
  readonly sampleS: number;
  /** Samples of each trace. */
  readonly samples: number;
  /** Peak frequency of the Ricker source pulse, Hz. */
  readonly peakHz: number;
  readonly sources: readonly GridPoint[];
  readonly receivers: readonly GridPoint[];
}

/**
 * The survey of the OpenFWI data sets (arXiv:2111.02926, `dataset_config.json`): 70 x 70 cells of
 * 10 m, 1000 samples of 1 ms, Ricker 15 Hz, five sources and seventy receivers at 10 m depth.
 */
export const OPENFWI_SURVEY: SurveyGeometry = {
  rows: 70,
  columns: 70,
  spacingM: 10,
  sampleS: 0.001,
  samples: 1000,
  peakHz: 15,
  sources: [0, 17, 34, 52, 69].map((column) => ({ row: 1, column })),
  receivers: Array.from({ length: 70 }, (_, column) => ({ row: 1, column })),
};

/** A survey along the top of a map, as a model's config states it. */
export interface LineSurvey {
  readonly shots: number;
  readonly samples: number;
  readonly receivers: number;
  readonly dtMs: number;
  readonly dxM: number;
  /** Rows (depth) and columns of the map. */
  readonly map: readonly [number, number];
  /** Peak frequency of the Ricker source pulse, Hz; default OpenFWI's. */
  readonly peakHz?: number;
  /** Columns of sources and receivers; default spread evenly from the first column to the last. */
  readonly sourceColumns?: readonly number[];
  readonly receiverColumns?: readonly number[];
}

/** Sources and receivers stand one cell below the surface, as OpenFWI's. */
const LINE_ROW = 1;

/** The survey to model for a model of that geometry; for OpenFWI's figures it is `OPENFWI_SURVEY`. */
export function lineSurvey(line: LineSurvey): SurveyGeometry {
  const [rows, columns] = line.map;
  const row = Math.min(LINE_ROW, rows - 1);
  const place = (given: readonly number[] | undefined, count: number) =>
    (given ?? spread(count, columns)).map((column) => ({ row, column }));
  return {
    rows,
    columns,
    spacingM: line.dxM,
    sampleS: line.dtMs / 1000,
    samples: line.samples,
    peakHz: line.peakHz ?? OPENFWI_SURVEY.peakHz,
    sources: place(line.sourceColumns, line.shots),
    receivers: place(line.receiverColumns, line.receivers),
  };
}

/** `count` columns from the first to the last, halves rounded down; one alone in the middle. */
function spread(count: number, columns: number): number[] {
  const step = count > 1 ? (columns - 1) / (count - 1) : 0;
  const first = count > 1 ? 0 : (columns - 1) / 2;
  // + 0: no column is -0.
  return Array.from({ length: count }, (_, i) => Math.ceil(first + i * step - 0.5) + 0);
}

/** Refuses a geometry that cannot be modelled. Throws RangeError naming the field. */
export function checkSurvey(survey: SurveyGeometry): void {
  for (const field of ["rows", "columns", "samples"] as const) {
    if (!Number.isSafeInteger(survey[field]) || survey[field] < 1) {
      throw new RangeError(`survey ${field}: expected a positive integer, got ${survey[field]}`);
    }
  }
  for (const field of ["spacingM", "sampleS", "peakHz"] as const) {
    if (!(survey[field] > 0 && Number.isFinite(survey[field]))) {
      throw new RangeError(`survey ${field}: expected a positive number, got ${survey[field]}`);
    }
  }
  for (const field of ["sources", "receivers"] as const) {
    if (survey[field].length === 0)
      throw new RangeError(`survey ${field}: expected some, got none`);
    for (const point of survey[field]) checkPoint(survey, field, point);
  }
}

function checkPoint(survey: SurveyGeometry, field: string, { row, column }: GridPoint): void {
  const inside = (index: number, count: number) =>
    Number.isSafeInteger(index) && index >= 0 && index < count;
  if (!inside(row, survey.rows) || !inside(column, survey.columns)) {
    throw new RangeError(
      `survey ${field}: expected cells of a ${survey.rows} x ${survey.columns} map, ` +
        `got row ${row}, column ${column}`,
    );
  }
}
