import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backoffMs } from "../../src/transport/backoff.ts";
import { LinkMeter } from "../../src/transport/meter.ts";
import { PacketGuard } from "../../src/transport/packetGuard.ts";

describe("PacketGuard", () => {
  it("lets packets up to the limit pass, however the stream is cut", () => {
    const lengths = fc.array(fc.nat(300), { maxLength: 20 });
    fc.assert(
      fc.property(lengths, fc.array(fc.integer({ min: 1, max: 50 })), (packets, cuts) => {
        const guard = new PacketGuard(300);
        for (const chunk of pieces(Buffer.concat(packets.map(packet)), cuts)) {
          expect(guard.check(chunk)).toBeUndefined();
        }
      }),
    );
  });

  it("reports the first packet above the limit before its body", () => {
    const stream = Buffer.concat([packet(300), packet(301).subarray(0, 3)]);
    expect(new PacketGuard(300).check(stream)).toBe(301);
  });

  it("reports a length field that never ends", () => {
    expect(new PacketGuard(300).check(Uint8Array.of(0x30, 0x80, 0x80, 0x80, 0x80))).toBeDefined();
  });
});

describe("LinkMeter", () => {
  it("counts one segment per 1448 bytes, half an acknowledgement each, seven per connection", () => {
    const meter = new LinkMeter();
    meter.opened();
    expect(meter.snapshot().wire).toBe(7 * 66);
    meter.received(1449);
    meter.sent(4);
    expect(meter.snapshot()).toMatchObject({ mqttIn: 1449, mqttOut: 4 });
    expect(meter.snapshot().wire).toBe(1453 + (3 + 2 + 7) * 66);
  });

  it("takes over what another counted", () => {
    const [first, total] = [new LinkMeter(), new LinkMeter()];
    first.opened();
    first.received(100);
    total.opened();
    total.absorb(first);
    expect(total.snapshot()).toMatchObject({ connections: 2, mqttIn: 100 });
  });
});

describe("backoffMs", () => {
  it("doubles to its limit, half of it random", () => {
    expect([0, 1, 2, 7, 100].map((n) => backoffMs(n, 0))).toEqual([125, 250, 500, 15000, 15000]);
    expect(backoffMs(3, 0.999)).toBeCloseTo(2000, -1);
  });
});

/** A PUBLISH with `length` bytes after the fixed header. */
function packet(length: number): Buffer {
  const field: number[] = [];
  let rest = length;
  do {
    field.push((rest % 128) | (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.from([0x30, ...field, ...new Array<number>(length).fill(0xff)]);
}

function* pieces(stream: Buffer, cuts: number[]): Generator<Buffer> {
  let at = 0;
  for (const cut of cuts) {
    if (at >= stream.length) return;
    yield stream.subarray(at, at + cut);
    at += cut;
  }
  yield stream.subarray(at);
}
