import { PNG } from "pngjs";
import { describe, expect, it } from "vitest";
import { Bitmap, ink, paper } from "../../src/io/plots/bitmap.ts";
import { divergingScale, greyScale, viridisScale } from "../../src/io/plots/colours.ts";
import { glyph } from "../../src/io/plots/font.ts";
import { mapsPng, type RecordPicture, recordPanels, recordsPng } from "../../src/io/plots/maps.ts";
import { textPixels } from "../../src/io/plots/text.ts";
import { roundStep, ticks } from "../../src/io/plots/ticks.ts";

const geometry = { map: [4, 4] as const, dxM: 10, dtMs: 1 };
const truth = Float32Array.from({ length: 16 }, (_, i) => 1500 + 200 * i);
const prediction = truth.map((value) => value + 50);
const gather = { data: new Float32Array(20 * 4).fill(1), samples: 20, receivers: 4, shot: 2 };

describe("colour scales", () => {
  it("start and end where their maps do", () => {
    const velocity = viridisScale(1500, 4500);
    expect(velocity.colour(1500)).toEqual([0x44, 0x01, 0x54]);
    expect(velocity.colour(4500)).toEqual([0xfd, 0xe7, 0x25]);
    expect(velocity.colour(9000)).toEqual(velocity.colour(4500));
    expect(velocity.colour(0)).toEqual(velocity.colour(1500));
  });

  it("are nearly white at zero error, red above and blue below", () => {
    const error = divergingScale(300);
    expect(Math.min(...error.colour(0))).toBeGreaterThan(235);
    const [red, , blue] = error.colour(300);
    expect(red).toBeGreaterThan(blue);
    const [lowRed, , lowBlue] = error.colour(-300);
    expect(lowBlue).toBeGreaterThan(lowRed);
  });

  it("paint positive swings black", () => {
    expect(greyScale(1).colour(1)).toEqual([0, 0, 0]);
    expect(greyScale(1).colour(-1)).toEqual([255, 255, 255]);
  });
});

describe("ticks", () => {
  it("are round and cover the range", () => {
    expect(ticks(0, 700).map((tick) => tick.label)).toEqual(["0", "200", "400", "600"]);
    expect(ticks(0, 1).map((tick) => tick.label)).toEqual([
      "0.0",
      "0.2",
      "0.4",
      "0.6",
      "0.8",
      "1.0",
    ]);
    expect(ticks(-300, 300).map((tick) => tick.value)).toEqual([-200, 0, 200]);
    expect(ticks(1700, 3500).map((tick) => tick.label)).toEqual(["2000", "2500", "3000", "3500"]);
  });

  it("step by 1, 2 or 5", () => {
    expect([0.9, 1, 1.1, 3, 6, 4999].map(roundStep)).toEqual([1, 1, 2, 5, 10, 5000]);
  });
});

describe("text", () => {
  it("has a glyph for every character the labels use", () => {
    const missing = glyph("\u0000");
    for (const character of "0123456789 abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,:-+()/=%_'±") {
      expect(glyph(character), character).not.toBe(missing);
    }
    expect(glyph("€")).toBe(missing);
  });

  it("stays inside the width that textPixels states", () => {
    const bitmap = new Bitmap(200, 40);
    bitmap.text(10, 10, "depth (m)");
    const inked = inkedColumns(bitmap);
    expect(Math.min(...inked)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...inked)).toBeLessThan(10 + textPixels("depth (m)"));
  });

  it("reads upwards without leaving ink on the right", () => {
    const bitmap = new Bitmap(40, 200);
    bitmap.textUpwards(10, 100, "time (s)");
    const inked = inkedColumns(bitmap);
    expect(Math.min(...inked)).toBe(10);
    expect(Math.max(...inked)).toBeLessThan(10 + 18);
  });
});

describe("mapsPng", () => {
  const record: RecordPicture = { truth, prediction, gather, geometry, title: "record 0" };

  it("gives a PNG with one panel per picture that the data allow", () => {
    const names = (input: RecordPicture) => recordPanels(input).map((panel) => panel.name);
    expect(names(record)).toEqual(["truth", "prediction", "error", "gather"]);
    expect(names({ prediction, geometry })).toEqual(["prediction"]);
    const png = decode(mapsPng(record));
    const panels = recordPanels(record).map((panel) => panel.picture);
    expect(png.width).toBe(panels.reduce((sum, picture) => sum + picture.width, 0));
  });

  it("paints equal velocities alike in truth and prediction", () => {
    const [first, second] = recordPanels({ truth, prediction: truth, geometry });
    const scale = viridisScale(1500, 4500);
    for (const panel of [first, second]) {
      const colours = coloursOf(panel!.picture);
      for (const value of truth) expect(colours).toContain(scale.colour(value).join());
    }
  });

  it("paints an exact prediction's error in one pale colour", () => {
    const error = recordPanels({ truth, prediction: truth, geometry })[2]!;
    expect(coloursOf(error.picture)).toContain(divergingScale(100).colour(0).join());
  });

  it("is the same bytes for the same record", () => {
    expect(mapsPng(record)).toEqual(mapsPng(record));
  });

  it("stacks records", () => {
    const one = decode(mapsPng(record));
    const two = decode(recordsPng([record, record]));
    expect([two.width, two.height]).toEqual([one.width, 2 * one.height]);
  });

  it("copes with a constant map and a silent gather", () => {
    const flat = new Float32Array(16).fill(2000);
    const silent = { ...gather, data: new Float32Array(80) };
    expect(() =>
      mapsPng({ truth: flat, prediction: flat, gather: silent, geometry }),
    ).not.toThrow();
  });
});

function decode(bytes: Uint8Array): PNG {
  return PNG.sync.read(Buffer.from(bytes));
}

function coloursOf(bitmap: Bitmap): Set<string> {
  const colours = new Set<string>();
  for (let i = 0; i < bitmap.pixels.length; i += 4) {
    colours.add(bitmap.pixels.subarray(i, i + 3).join());
  }
  return colours;
}

function inkedColumns(bitmap: Bitmap): number[] {
  const columns: number[] = [];
  for (let i = 0; i < bitmap.width * bitmap.height; i++) {
    if (bitmap.pixels[4 * i]! < (ink[0] + paper[0]) / 2) columns.push(i % bitmap.width);
  }
  return columns;
}
