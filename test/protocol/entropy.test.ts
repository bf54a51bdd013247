import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  Encoding,
  encodePayload,
  FrameError,
  LatentCoder,
  type LatentTables,
} from "../../src/protocol/index.ts";
import { randomTables } from "../library/latentTables.ts";

const modelId = "0123456789abcdef";
const tables = randomTables(4, 6, 1);
const coder = new LatentCoder(modelId, tables);
const latents = (count: number) =>
  fc.int8Array({ min: -127, max: 127, minLength: count, maxLength: count });

/** What the 4-bit encoding makes of a latent: the entropy coder must lose that and no more. */
function steps(latent: Int8Array): Int8Array {
  return Int8Array.from(latent, (code) => {
    const scaled = code / 18;
    const down = Math.floor(scaled);
    const up = scaled - down > 0.5 || (scaled - down === 0.5 && down % 2 !== 0);
    return 18 * Math.max(-7, Math.min(7, up ? down + 1 : down));
  });
}

describe("the entropy coder", () => {
  it("gives back the 4-bit steps of any latent, of any shape, under any tables", () => {
    const shape = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }));
    fc.assert(
      fc.property(
        shape,
        fc.nat(1000),
        fc.func(fc.integer({ min: -127, max: 127 })),
        (size, seed, code) => {
          const own = new LatentCoder(modelId, randomTables(...size, seed));
          const latent = Int8Array.from({ length: own.count }, (_, i) => code(i));
          expect(own.decode(own.encode(latent))).toEqual(steps(latent));
        },
      ),
    );
  });

  it("writes one payload per latent, of at most 12 bits a value and 4 bytes", () => {
    fc.assert(
      fc.property(latents(coder.count), (latent) => {
        const payload = coder.encode(latent);
        expect(payload.length).toBeLessThanOrEqual(4 + Math.ceil(coder.count * 1.5));
        expect(coder.encode(coder.decode(payload))).toEqual(payload);
        expect(encodePayload(latent, Encoding.entropy, coder)).toEqual(payload);
      }),
    );
  });

  it("takes as many bits as the tables say", () => {
    const count = 64 * 32;
    const frequencies = Uint16Array.from([
      1, 1, 1, 1, 1, 1, 1, 2048, 1024, 512, 256, 128, 64, 32, 25,
    ]);
    const contexts = new Uint8Array(count * 5);
    const own = new LatentCoder(modelId, { slots: 64, channels: 32, frequencies, contexts });
    const bits = 4 + (count * Math.log2(4096 / 2048)) / 8;
    expect(Math.abs(own.encode(new Int8Array(count)).length - bits)).toBeLessThanOrEqual(3);
    const twos = new Int8Array(count).fill(36);
    expect(Math.abs(own.encode(twos).length - 4 - (count * 3) / 8)).toBeLessThanOrEqual(3);
  });

  it("refuses every cut and every extension with its own code", () => {
    fc.assert(
      fc.property(
        latents(coder.count),
        fc.uint8Array({ minLength: 1, maxLength: 9 }),
        (latent, more) => {
          const payload = coder.encode(latent);
          for (let length = 0; length < payload.length; length++) {
            expect(refusal(payload.subarray(0, length))).toBe("entropy-truncated");
          }
          expect(refusal(Uint8Array.from([...payload, ...more]))).toBe("entropy-extra-bytes");
        },
      ),
    );
  });

  it("takes of random bytes only what it could have written itself", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => {
        const came = refusal(noise);
        if (came instanceof Int8Array) expect(coder.encode(came)).toEqual(noise);
        else expect(came).toMatch(/^entropy-(truncated|extra-bytes|bad-state)$/);
      }),
      { numRuns: 3000 },
    );
  });

  it("finds a changed last byte in the last state", () => {
    const payload = coder.encode(new Int8Array(coder.count).fill(50));
    const changed = payload.slice();
    changed[payload.length - 1]! ^= 1;
    expect(refusal(changed)).toBe("entropy-bad-state");
  });

  it("refuses another count of codes", () => {
    expect(() => coder.encode(new Int8Array(5))).toThrow(
      "frame: latent: expected 24 codes for entropy coding, got 5",
    );
  });
});

describe("tables", () => {
  const broken = (change: Partial<LatentTables>) => () =>
    new LatentCoder(modelId, { ...tables, ...change });
  const changed = (at: number, by: number) => {
    const frequencies = tables.frequencies.slice();
    frequencies[at]! += by;
    return frequencies;
  };

  it.each<[string, () => void, string]>([
    ["sum", broken({ frequencies: changed(16, 1) }), "got a sum of 4097 in row 1"],
    ["zero", broken({ frequencies: changed(0, -tables.frequencies[0]!) }), "got a zero in row 0"],
    ["row length", broken({ frequencies: new Uint16Array(16) }), "rows of 15, got 16 values"],
    ["no rows", broken({ frequencies: new Uint16Array(0) }), "rows of 15, got 0 values"],
    ["contexts", broken({ contexts: new Uint8Array(7) }), "expected 120 values, got 7"],
    ["table", broken({ contexts: new Uint8Array(120).fill(6) }), "tables 0..5, got 6 at 0"],
  ])("are refused for a wrong %s", (_what, make, message) => {
    expect(make).toThrow(RangeError);
    expect(make).toThrow(message);
  });
});

/** The code of the refusal, or the codes read. */
function refusal(payload: Uint8Array): string | Int8Array {
  try {
    return coder.decode(payload);
  } catch (error) {
    expect(error).toBeInstanceOf(FrameError);
    return (error as FrameError).code;
  }
}
