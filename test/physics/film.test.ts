/** The wavefield on its way: `ForwardModeller.film`. */
import { describe, expect, it } from "vitest";
import { ForwardModeller, OPENFWI_SURVEY, type SurveyGeometry } from "../../src/physics/index.ts";
import { mapOf } from "./records.ts";

const survey: SurveyGeometry = {
  ...OPENFWI_SURVEY,
  rows: 14,
  columns: 22,
  samples: 250,
  sources: [
    { row: 1, column: 3 },
    { row: 2, column: 18 },
  ],
  receivers: Array.from({ length: 22 }, (_, column) => ({ row: 1, column })),
};
const map = mapOf((row, column) => 1500 + row * 150 + ((column * 5) % 7) * 40, survey);

describe.each(["openfwi", "fast"] as const)("film, %s boundary", (boundary) => {
  it.each([1, 4, 30, 146, 250])("records a shot as model does, every %i steps", async (every) => {
    const modeller = await ForwardModeller.load({ geometry: survey, boundary, region: "all" });
    const record = modeller.model(map);
    const shotLength = record.length / 2;
    const seen: number[] = [];
    const traces = modeller.film(map, 1, every, (_, steps) => seen.push(steps));
    expect(traces).toEqual(record.slice(shotLength));
    const pictures = Math.floor(survey.samples / every);
    expect(seen).toEqual(Array.from({ length: pictures }, (_, i) => every * (i + 1)));
    // The first shot is untouched by what the film left behind.
    expect(modeller.film(map, 0, every, () => {})).toEqual(record.slice(0, shotLength));
  });

  it("takes the whole grid, also after a windowed record", async () => {
    const whole = await ForwardModeller.load({ geometry: survey, boundary, region: "all" });
    const windowed = await ForwardModeller.load({ geometry: survey, boundary, region: "reached" });
    windowed.model(map);
    const traces = windowed.film(map, 1, 30, () => {});
    expect(Array.from(traces)).toEqual(Array.from(whole.film(map, 1, 30, () => {})));
  });

  it("shows the pressure that the receivers record", async () => {
    const modeller = await ForwardModeller.load({ geometry: survey, boundary });
    const { columns } = survey;
    const rows: number[][] = [];
    const traces = modeller.film(map, 0, 10, (pressure) => {
      rows.push([...pressure.subarray(columns, 2 * columns)]);
    });
    const recorded = rows.map((_, i) => {
      const first = (10 * (i + 1) - 1) * columns;
      return [...traces.subarray(first, first + columns)];
    });
    expect(rows).toEqual(recorded);
    expect(Math.max(...rows.flat())).toBeGreaterThan(0);
  });
});

describe("film refuses", () => {
  it.each([
    ["a shot", [2, 10], /^shot: expected an integer 0\.\.1, got 2$/],
    ["half a shot", [0.5, 10], /^shot: expected an integer/],
    ["no distance", [0, 0], /^everySteps: expected an integer 1\.\.250, got 0$/],
    ["a distance past the end", [0, 251], /^everySteps: /],
  ] as const)("%s", async (_, [shot, every], message) => {
    const modeller = await ForwardModeller.load({ geometry: survey });
    expect(() => modeller.film(map, shot, every, () => {})).toThrow(message);
  });

  it("a disposed modeller", async () => {
    const modeller = await ForwardModeller.load({ geometry: survey });
    modeller.dispose();
    expect(() => modeller.film(map, 0, 10, () => {})).toThrow(/disposed/);
  });
});
