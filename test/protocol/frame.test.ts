import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  crc32c,
  decodeFrame,
  Encoding,
  encodeFrame,
  FRAME_BYTES_MAX,
  FRAME_ERROR_CODES,
  FRAME_OVERHEAD_BYTES,
  FrameError,
  type FrameErrorCode,
  frameLength,
  HEADER_BYTES,
  LatentCoder,
  type LatentEncoding,
  type LatentFrame,
  NIBBLE_STEP,
  PAYLOAD_BYTES_MAX,
  readFrameHeader,
} from "../../src/protocol/index.ts";

interface ValidVector {
  name: string;
  fields: Omit<LatentFrame, "record" | "acquiredNs" | "latent"> & {
    record: string;
    acquiredNs: string;
    latent: number[];
  };
  decodedLatent: number[];
  hex: string;
}

interface EntropyVectors {
  tables: { slots: number; channels: number; frequencies: number[]; contexts: number[] };
  frames: { name: string; latent: number[]; decodedLatent: number[]; hex: string }[];
  refused: { name: string; code: FrameErrorCode; hex: string }[];
}

const valid = readVectors<ValidVector>("valid.json");
const refused = readVectors<{ name: string; code: FrameErrorCode; hex: string }>("refused.json");

const [entropy] = readVectors<EntropyVectors>("entropy.json") as [EntropyVectors];
const coder = new LatentCoder(valid[0]!.fields.modelId, {
  ...entropy.tables,
  frequencies: Uint16Array.from(entropy.tables.frequencies),
  contexts: Uint8Array.from(entropy.tables.contexts),
});
/** The vectors' frames share all but the latent. */
const entropyFields = { ...frameOf(valid[0]!.fields), encoding: Encoding.entropy };

describe("golden frames", () => {
  it.each(valid)("encodes $name to the bytes of the specification", ({ fields, hex }) => {
    expect(toHex(encodeFrame(frameOf(fields)))).toBe(hex);
  });

  it.each(valid)("decodes $name", ({ fields, decodedLatent, hex }) => {
    const expected = { ...frameOf(fields), latent: Int8Array.from(decodedLatent) };
    expect(decodeFrame(fromHex(hex))).toEqual(expected);
  });

  it.each(refused)("refuses $name with $code", ({ code, hex }) => {
    expect(codeOf(() => decodeFrame(fromHex(hex)))).toBe(code);
  });

  it("refuses with every code of the protocol that a decoder can meet", () => {
    const met = new Set([...refused, ...entropy.refused].map(({ code }) => code));
    expect(met).toEqual(new Set(FRAME_ERROR_CODES));
  });

  it.each(entropy.frames)(
    "codes $name under tables to the bytes of the specification",
    (vector) => {
      const { latent, decodedLatent, hex } = vector;
      const frame = { ...entropyFields, latent: Int8Array.from(latent) };
      expect(toHex(encodeFrame(frame, coder))).toBe(hex);
      const expected = { ...entropyFields, latent: Int8Array.from(decodedLatent) };
      expect(decodeFrame(fromHex(hex), coder)).toEqual(expected);
    },
  );

  it.each(entropy.refused)("refuses an entropy-coded payload, $name, with $code", (vector) => {
    expect(codeOf(() => decodeFrame(fromHex(vector.hex), coder))).toBe(vector.code);
  });
});

describe("properties", () => {
  it("gives back an int8 frame as it was", () => {
    fc.assert(
      fc.property(frames(), (frame) => {
        const bytes = encodeFrame(frame);
        expect(bytes.length).toBe(FRAME_OVERHEAD_BYTES + frame.latent.length);
        expect(frameLength(bytes.subarray(0, HEADER_BYTES))).toBe(bytes.length);
        expect(decodeFrame(bytes)).toEqual(frame);
      }),
    );
  });

  it("gives back a 4-bit frame within half a step", () => {
    fc.assert(
      fc.property(frames(), (int8Frame) => {
        const latent = int8Frame.latent.subarray(0, int8Frame.latent.length & ~1);
        fc.pre(latent.length > 0);
        const frame = { ...int8Frame, latent, encoding: Encoding.nibble };
        const decoded = decodeFrame(encodeFrame(frame));
        decoded.latent.forEach((q, i) => {
          expect(Math.abs(q - latent[i]!)).toBeLessThanOrEqual(NIBBLE_STEP / 2);
        });
        // What was decoded is on the grid, so a second trip changes nothing.
        expect(decodeFrame(encodeFrame(decoded))).toEqual(decoded);
      }),
    );
  });

  it("refuses every single-bit flip", () => {
    const bytes = encodeFrame(frameOf(valid[0]!.fields));
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(
        codeOf(() => decodeFrame(flipped)),
        `bit ${bit}`,
      ).not.toBe("decoded");
    }
  });

  it("refuses every cut and every extension", () => {
    const bytes = encodeFrame(frameOf(valid[0]!.fields));
    for (let length = 0; length < bytes.length; length++) {
      expect(codeOf(() => decodeFrame(bytes.subarray(0, length)))).toBe("truncated");
    }
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (more) => {
        expect(codeOf(() => decodeFrame(Uint8Array.from([...bytes, ...more])))).toBe("extra-bytes");
      }),
    );
  });

  it("refuses random bytes, alone and behind a good header", () => {
    const header = encodeFrame(frameOf(valid[0]!.fields)).subarray(0, HEADER_BYTES);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (noise, behindHeader) => {
        const bytes = behindHeader ? Uint8Array.from([...header, ...noise]) : noise;
        expect(codeOf(() => decodeFrame(bytes))).not.toBe("decoded");
      }),
      { numRuns: 2000 },
    );
  });

  it("throws nothing but FrameError for overwritten frames, whole or with the checksum redone", () => {
    const bytes = encodeFrame(frameOf(valid[0]!.fields));
    const patch = fc.tuple(fc.nat(bytes.length - 5), fc.uint8Array({ minLength: 1, maxLength: 8 }));
    fc.assert(
      fc.property(patch, ([offset, noise]) => {
        const changed = bytes.slice();
        changed.set(noise.subarray(0, bytes.length - 4 - offset), offset);
        const end = changed.length - 4;
        new DataView(changed.buffer).setUint32(end, crc32c(changed.subarray(0, end)), true);
        codeOf(() => decodeFrame(changed));
      }),
      { numRuns: 2000 },
    );
  });
});

describe("bounds", () => {
  it("takes the longest payload and no more", () => {
    const frame = frameOf(valid[0]!.fields);
    const longest = { ...frame, latent: new Int8Array(PAYLOAD_BYTES_MAX) };
    expect(encodeFrame(longest).length).toBe(FRAME_BYTES_MAX);
    const tooLong = { ...frame, latent: new Int8Array(PAYLOAD_BYTES_MAX + 1) };
    expect(codeOf(() => encodeFrame(tooLong))).toBe("payload-too-long");
  });

  it("knows from the header alone that a frame is too long to buffer", () => {
    const header = encodeFrame(frameOf(valid[0]!.fields)).slice(0, HEADER_BYTES);
    new DataView(header.buffer).setUint32(56, PAYLOAD_BYTES_MAX + 1, true);
    expect(codeOf(() => frameLength(header))).toBe("payload-too-long");
  });

  it("names the field, what was expected and what came", () => {
    const frame = frameOf(valid[0]!.fields);
    const cases: [Partial<LatentFrame>, string][] = [
      [{ modelId: "xyz" }, 'frame: modelId: expected 16 lower-case hex digits, got "xyz"'],
      [{ survey: "A b" }, 'frame: survey: expected 1-16 of [a-z0-9-], got "A b"'],
      [{ device: 5 }, 'frame: device: expected less than devices (5), got "5"'],
      [{ receivers: 1.5 }, 'frame: receivers: expected an integer 1..65535, got "1.5"'],
      [{ record: -1n }, 'frame: record: expected a bigint 0..2^64-1, got "-1"'],
    ];
    for (const [change, message] of cases) {
      expect(() => encodeFrame({ ...frame, ...change })).toThrow(message);
    }
  });

  it("reads the header of a frame whose tables it does not have", () => {
    const bytes = fromHex(entropy.frames[0]!.hex);
    const { payload, ...fields } = readFrameHeader(bytes);
    expect({ ...fields, latent: entropyFields.latent }).toEqual(entropyFields);
    expect(payload.length).toBe(bytes.length - FRAME_OVERHEAD_BYTES);
    const stranger = { ...entropyFields, modelId: "00000000000000ff" };
    stranger.latent = new Int8Array(coder.count);
    expect(codeOf(() => encodeFrame(stranger, coder))).toBe("no-tables");
  });

  it("keeps no view of the caller's bytes", () => {
    const bytes = encodeFrame(frameOf(valid[0]!.fields));
    const decoded = decodeFrame(bytes);
    const before = decoded.latent.slice();
    bytes.fill(0);
    expect(decoded.latent).toEqual(before);
  });
});

describe("crc32c", () => {
  it("has the catalogue's check value", () => {
    expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
  });

  it("continues from a part", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        expect(crc32c(b, crc32c(a))).toBe(crc32c(Uint8Array.from([...a, ...b])));
      }),
    );
  });
});

function frames(): fc.Arbitrary<LatentFrame> {
  const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  return fc
    .record({
      encoding: fc.constant<LatentEncoding>(Encoding.int8),
      modelId: fc.stringMatching(/^[0-9a-f]{16}$/),
      survey: fc.stringMatching(/^[a-z0-9-]{1,16}$/),
      record: uint64,
      devices: fc.integer({ min: 1, max: 65535 }),
      device: fc.nat(65534),
      firstReceiver: fc.nat(65535),
      receivers: fc.integer({ min: 1, max: 65535 }),
      acquiredNs: uint64,
      latent: fc.int8Array({ min: -127, max: 127, minLength: 1, maxLength: 200 }),
    })
    .map((frame) => ({ ...frame, device: frame.device % frame.devices }));
}

function frameOf(fields: ValidVector["fields"]): LatentFrame {
  return {
    ...fields,
    record: BigInt(fields.record),
    acquiredNs: BigInt(fields.acquiredNs),
    latent: Int8Array.from(fields.latent),
  };
}

/** The code of the FrameError that `call` throws, "decoded" when it throws none. */
function codeOf(call: () => unknown): FrameErrorCode | "decoded" {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(FrameError);
    return (error as FrameError).code;
  }
  return "decoded";
}

function readVectors<T>(name: string): T[] {
  return JSON.parse(readFileSync(new URL(`../vectors/protocol/${name}`, import.meta.url), "utf8"));
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}
