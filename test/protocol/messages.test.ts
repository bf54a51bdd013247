import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ACK_BYTES_MAX,
  type Ack,
  ackFilter,
  ackTopic,
  committedAcks,
  crc32c,
  decodeAck,
  decodeGapNotice,
  encodeAck,
  encodeGapNotice,
  gapTopic,
  latentTopic,
  parseGapTopic,
  parseLatentTopic,
  sealJson,
  shardOf,
} from "../../src/protocol/index.ts";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** `document` with the checksum that its bytes ask for, whatever it is. */
function sealed(document: string): Uint8Array {
  const start = document.slice(0, -1);
  const crc = crc32c(text(start)).toString(16).padStart(8, "0");
  return text(`${start},"crc":"${crc}"}`);
}

describe("acknowledgements", () => {
  const modelId = "0123456789abcdef";
  const acks: Ack[] = [
    { status: "committed", record: 2n ** 64n - 1n, modelId },
    { status: "refused", record: 0n, modelId, reason: "unknown-model" },
    { status: "unreadable", reason: "bad-checksum" },
    { status: "busy" },
    {
      status: "noted",
      gap: { from: 3n, to: 2n ** 64n - 1n, lost: 2n, modelId, reason: "outbox-full" },
    },
    { status: "committed", record: 3n, modelId, also: [2n, 2n ** 64n - 1n] },
  ];

  it.each(acks)("gives back $status", (ack) => {
    expect(decodeAck(encodeAck(ack))).toEqual(ack);
  });

  it("says of many records in few messages that they are committed", () => {
    for (const first of [1n, 2n ** 64n - 300n]) {
      const records = Array.from({ length: 200 }, (_, i) => first + BigInt(i));
      const few = committedAcks(records, modelId);
      const said = few.flatMap((ack) => {
        expect(decodeAck(encodeAck(ack))).toEqual(ack);
        if (ack.status !== "committed") throw new Error(ack.status);
        return [ack.record, ...(ack.also ?? [])];
      });
      expect(said.sort((a, b) => (a < b ? -1 : 1))).toEqual(records);
      expect(few.length).toBeLessThan(20);
    }
    expect(committedAcks([], modelId)).toEqual([]);
    expect(committedAcks([7n], modelId)).toEqual([{ status: "committed", record: 7n, modelId }]);
  });

  it("is readable JSON", () => {
    expect(new TextDecoder().decode(encodeAck(acks[1]!))).toBe(
      '{"status":"refused","record":"0","modelId":"0123456789abcdef","reason":"unknown-model","crc":"b2a82400"}',
    );
  });

  it.each([
    "",
    "null",
    "[]",
    "{}",
    '{"status":"committed"}',
    '{"status":"committed","record":12,"modelId":"0123456789abcdef"}',
    '{"status":"committed","record":"-1","modelId":"0123456789abcdef"}',
    '{"status":"committed","record":"1","modelId":"0123"}',
    '{"status":"committed","record":"1","modelId":"0123456789abcdef","also":"2"}',
    '{"status":"committed","record":"1","modelId":"0123456789abcdef","also":["2",3]}',
    '{"status":"refused","record":"1","modelId":"0123456789abcdef"}',
    '{"status":"unreadable","reason":"<b>"}',
    '{"status":"deleted","record":"1","modelId":"0123456789abcdef"}',
  ])("is not %s", (document) => {
    expect(decodeAck(sealed(document))).toBeUndefined();
    expect(decodeAck(text(document))).toBeUndefined();
  });

  it("is none when a bit of it was flipped on the way", () => {
    for (const ack of acks) {
      const bytes = encodeAck(ack);
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const altered = bytes.slice();
        altered[bit >> 3]! ^= 1 << (bit & 7);
        expect(decodeAck(altered), `bit ${bit}`).toBeUndefined();
      }
    }
  });

  it("never throws and reads nothing long", () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void decodeAck(bytes)));
    const long = sealed(`{"status":"unreadable","reason":"a"${" ".repeat(ACK_BYTES_MAX)}}`);
    expect(decodeAck(long)).toBeUndefined();
  });
});

describe("gap notices", () => {
  const modelId = "0123456789abcdef";

  it("gives back what it was given, as readable JSON", () => {
    const gap = { from: 1n, to: 9n, lost: 9n, modelId, reason: "expired" } as const;
    const bytes = encodeGapNotice(gap);
    expect(decodeGapNotice(bytes)).toEqual(gap);
    expect(new TextDecoder().decode(bytes)).toBe(
      '{"from":"1","to":"9","lost":"9","modelId":"0123456789abcdef","reason":"expired","crc":"f4d4c3d5"}',
    );
  });

  it.each([
    ["fewer than one", { lost: "0" }],
    ["more than it spans", { lost: "4" }],
    ["an end before its start", { from: "4" }],
    ["a number past 64 bits", { to: "18446744073709551616" }],
    ["a JSON number", { from: 1 }],
    ["a path for a reason", { reason: "../x" }],
    ["another model id", { modelId: "x" }],
  ])("is none with %s", (_what, change) => {
    const good = { from: "1", to: "3", lost: "3", modelId, reason: "expired" };
    expect(decodeGapNotice(sealJson(good))).toBeDefined();
    expect(decodeGapNotice(sealJson({ ...good, ...change }))).toBeUndefined();
    expect(decodeGapNotice(text(JSON.stringify(good)))).toBeUndefined();
  });

  it("never throws", () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void decodeGapNotice(bytes)));
    fc.assert(fc.property(fc.json(), (json) => void decodeGapNotice(sealed(json))));
  });

  it("has a topic of its own", () => {
    const place = { survey: "line-4", shard: 3, device: 2 };
    expect(parseGapTopic(gapTopic("line-4", 3, 2))).toEqual(place);
    expect(parseGapTopic(latentTopic("line-4", 3, 2))).toBeUndefined();
    expect(parseLatentTopic(gapTopic("line-4", 3, 2))).toBeUndefined();
  });
});

describe("topics", () => {
  it("gives back the parts of a latent topic", () => {
    expect(latentTopic("line-4", 3, 2)).toBe("epic/v1/line-4/3/latent/2");
    expect(parseLatentTopic("epic/v1/line-4/3/latent/2")).toEqual({
      survey: "line-4",
      shard: 3,
      device: 2,
    });
  });

  it.each([
    "epic/v1/line-4/3/ack/2",
    "epic/v2/line-4/3/latent/2",
    "epic/v1/line-4/3/latent/2/x",
    "epic/v1/Line/3/latent/2",
    "epic/v1/line-4/+/latent/2",
    "epic/v1//3/latent/2",
  ])("takes no part of %s", (topic) => {
    expect(parseLatentTopic(topic)).toBeUndefined();
  });

  it("lets a device hear its own acknowledgements of all shards", () => {
    expect(ackTopic("s", 12, 4).replace("/12/", "/+/")).toBe(ackFilter("s", 4));
  });

  it("spreads records over the shards, beyond 2^53 too", () => {
    expect(shardOf(2n ** 64n - 1n, 4)).toBe(3);
    expect(shardOf(8n, 1)).toBe(0);
  });
});
