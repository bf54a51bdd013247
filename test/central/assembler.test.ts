import { describe, expect, it } from "vitest";
import { type ReceivedFrame, RecordAssembler } from "../../src/central/assembler.ts";
import { decodeFrame } from "../../src/protocol/index.ts";
import { frameOf, modelId } from "../edge/smallSurvey.ts";

function received(record: number, device: number, model = modelId): ReceivedFrame {
  const bytes = frameOf(record, device, { modelId: model });
  return { frame: decodeFrame(bytes), bytes, receivedMs: 0 };
}

describe("RecordAssembler", () => {
  it("is ready when every device's frame is there", () => {
    const assembler = new RecordAssembler({ devices: 3, deadlineMs: 100 });
    assembler.open(1n, modelId, [], 0);
    expect(assembler.accept(received(1, 2))).toEqual({ kind: "taken", ready: false });
    expect(assembler.accept(received(1, 0))).toEqual({ kind: "taken", ready: false });
    expect(assembler.accept(received(1, 0))).toEqual({ kind: "duplicate" });
    expect(assembler.accept(received(1, 1))).toEqual({ kind: "taken", ready: true });
    expect(assembler.take(1n)?.frames.map((frame) => frame?.frame.device)).toEqual([0, 1, 2]);
    expect(assembler.has(1n)).toBe(false);
  });

  it("is due at its deadline, not before, oldest first", () => {
    const assembler = new RecordAssembler({ devices: 3, deadlineMs: 100 });
    assembler.open(7n, modelId, [], 0);
    assembler.open(5n, modelId, [], 40);
    expect(assembler.due(99)).toEqual([]);
    expect(assembler.due(100)).toEqual([7n]);
    expect(assembler.due(140)).toEqual([7n, 5n]);
  });

  it("gives up the oldest when too many are open", () => {
    const assembler = new RecordAssembler({ devices: 3, deadlineMs: 100, openMax: 2 });
    for (const record of [3n, 1n, 2n, 9n]) assembler.open(record, modelId, [], 0);
    expect(assembler.due(0)).toEqual([3n, 1n]);
  });

  it("starts a late frame's record from the committed ones, and answers those at once", () => {
    const assembler = new RecordAssembler({ devices: 3, deadlineMs: 100 });
    assembler.open(1n, modelId, [received(1, 0), received(1, 2)], 0);
    expect(assembler.accept(received(1, 2))).toEqual({ kind: "committed" });
    expect(assembler.accept(received(1, 1))).toEqual({ kind: "taken", ready: true });
    expect(assembler.take(1n)?.committed).toEqual(new Set([0, 2]));
  });

  it("does not mix models in one record", () => {
    const assembler = new RecordAssembler({ devices: 3, deadlineMs: 100 });
    assembler.open(1n, modelId, [], 0);
    expect(assembler.accept(received(1, 0, "f".repeat(16)))).toEqual({ kind: "other-model" });
  });
});
