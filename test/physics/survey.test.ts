import { describe, expect, it } from "vitest";
import { checkSurvey, lineSurvey, OPENFWI_SURVEY } from "../../src/physics/index.ts";

const openFwi = {
  shots: 5,
  samples: 1000,
  receivers: 70,
  dtMs: 1,
  dxM: 10,
  map: [70, 70],
} as const;

describe("lineSurvey", () => {
  it("is OpenFWI's survey for OpenFWI's figures", () => {
    expect(lineSurvey(openFwi)).toEqual(OPENFWI_SURVEY);
  });

  it("spreads sources and receivers from end to end", () => {
    const survey = lineSurvey({ ...openFwi, shots: 3, receivers: 4, map: [20, 10] });
    expect(survey.sources.map(({ column }) => column)).toEqual([0, 4, 9]);
    expect(survey.receivers.map(({ column }) => column)).toEqual([0, 3, 6, 9]);
    expect(survey).toMatchObject({ rows: 20, columns: 10, peakHz: 15 });
    checkSurvey(survey);
  });

  it("puts a single shot in the middle", () => {
    expect(lineSurvey({ ...openFwi, shots: 1 }).sources).toEqual([{ row: 1, column: 34 }]);
  });

  it("takes places and pulse as stated", () => {
    const survey = lineSurvey({
      ...openFwi,
      shots: 2,
      receivers: 3,
      sourceColumns: [5, 6],
      receiverColumns: [7, 0, 69],
      peakHz: 25,
    });
    expect(survey.sources.map(({ column }) => column)).toEqual([5, 6]);
    expect(survey.receivers.map(({ column }) => column)).toEqual([7, 0, 69]);
    expect(survey.peakHz).toBe(25);
  });

  it("keeps to a map of one row", () => {
    expect(lineSurvey({ ...openFwi, map: [1, 70] }).sources[0]).toEqual({ row: 0, column: 0 });
  });
});
