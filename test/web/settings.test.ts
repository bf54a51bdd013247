/** The page's address. */
import { describe, expect, it } from "vitest";
import { Encoding } from "../../src/protocol/index.ts";
import { LINKS } from "../../web/src/links.ts";
import { DEFAULTS, formatHash, parseHash, type Settings } from "../../web/src/settings.ts";

describe("settings in the address", () => {
  it("come back as they went", () => {
    const settings: Settings = {
      family: "style-b",
      seed: 4294967295,
      shot: 4,
      noisePercent: 20,
      encoding: Encoding.nibble,
      off: [0, 3],
      link: LINKS.at(-1)!,
    };
    const hash = formatHash(settings);
    expect(hash).toBe("#family=style-b&seed=4294967295&shot=5&noise=20&bits=4&off=1,4&link=nbiot");
    expect(parseHash(hash, 5, 5)).toEqual(settings);
  });

  it("are left out where they are as by default", () => {
    expect(formatHash(DEFAULTS)).toBe("#family=curvevel-a&seed=7");
    expect(parseHash("#family=curvevel-a&seed=7", 5, 5)).toEqual(DEFAULTS);
  });

  it.each([
    "",
    "#",
    "#family=nope&seed=-1&shot=6&noise=21&bits=3&off=0,6,x&link=carrier-pigeon",
    "#seed=4294967296&shot=0&noise=1.5",
    "#seed=&off=",
  ])("are as by default where %j makes no sense", (hash) => {
    expect(parseHash(hash, 5, 5)).toEqual(DEFAULTS);
  });

  it("fit a survey with fewer shots and devices", () => {
    const settings = parseHash("#shot=3&off=2,5", 2, 3);
    expect(settings).toMatchObject({ shot: 1, off: [1] });
  });

  it("name a device once, in order", () => {
    expect(parseHash("#off=3,1,3", 5, 5).off).toEqual([0, 2]);
  });
});
