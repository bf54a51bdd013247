import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { ClaimError, decodeClaim, ShardClaim } from "../../src/central/claim.ts";
import { sealJson } from "../../src/protocol/index.ts";
import { type MemoryLink, MemoryNetwork } from "../edge/memoryNetwork.ts";

interface Candidate {
  readonly claim: ShardClaim;
  readonly link: MemoryLink;
  state: "asking" | "held" | ClaimError;
}

let network: MemoryNetwork;
let now: number;
let wallMs: number;

beforeEach(() => {
  network = new MemoryNetwork();
  now = 0;
  wallMs = 1_764_000_000_000;
});

describe("ShardClaim", () => {
  it("holds after the wait, and not before, when nobody objects", async () => {
    const one = await candidate([0, 1], 4);
    await pass(one, 999);
    expect(one.state).toBe("asking");
    await pass(one, 1);
    expect(one.state).toBe("held");
  });

  it("refuses the second at once, in one line, and leaves the first alone", async () => {
    const first = await candidate([0, 1], 4);
    await pass(first, 1000);
    wallMs -= 60_000; // the second's clock is slow: that does not make it the first
    const second = await candidate([1, 2], 4);
    await settle();
    expect(second.state).toBeInstanceOf(ClaimError);
    expect((second.state as ClaimError).message).toBe(
      "--shards: expected shard 1 of 4 of survey line unclaimed, got a central process that " +
        "serves 0,1/4 since 2025-11-24T16:00:00.000Z (host:1)",
    );
    expect(first.state).toBe("held");
  });

  it("lets other shards and other surveys be", async () => {
    const all = [await candidate([0, 1], 4), await candidate([2], 4), await candidate([3], 4)];
    all.push(await candidate([0, 1], 4, "other"));
    await passAll(all, 1000);
    expect(all.map(({ state }) => state)).toEqual(["held", "held", "held", "held"]);
  });

  it("refuses another number of shards: it would spread the records differently", async () => {
    const first = await candidate([0], 2);
    await pass(first, 1000);
    const second = await candidate([3], 4);
    await settle();
    expect((second.state as ClaimError).message).toMatch(
      /^--shards: expected survey line in 2 shards, got 4, beside a central process that serves 0\/2/,
    );
  });

  it("lets the earlier of two that ask at once have it", async () => {
    const first = await candidate([0], 1);
    wallMs++;
    const second = await candidate([0], 1);
    await passAll([first, second], 1000);
    expect(first.state).toBe("held");
    expect(second.state).toBeInstanceOf(ClaimError);
  });

  it("starts its wait again after a lost connection", async () => {
    const one = await candidate([0], 1);
    await pass(one, 900);
    one.link.plug(false);
    await pass(one, 5000);
    one.link.plug(true);
    await pass(one, 999);
    expect(one.state).toBe("asking");
    await pass(one, 1);
    expect(one.state).toBe("held");
  });

  it("lets one of two that have both begun to serve stay, once they hear each other", async () => {
    const first = await candidate([0], 1);
    await pass(first, 1000);
    first.link.plug(false);
    wallMs += 5000;
    const second = await candidate([0], 1);
    await pass(second, 1000);
    expect([first.state, second.state]).toEqual(["held", "held"]);
    first.link.plug(true);
    await settle();
    expect(first.state).toBe("held");
    expect(second.state).toBeInstanceOf(ClaimError);
  });

  it("is told of a better claim later, should the broker have lost the objection", async () => {
    const first = await candidate([0], 1);
    await pass(first, 1000);
    network.deliver = () => false;
    wallMs += 10;
    const second = await candidate([0], 1);
    await pass(second, 1000);
    expect(second.state).toBe("held");
    network.deliver = () => true;
    await passAll([first, second], 10_000);
    expect(first.state).toBe("held");
    expect(second.state).toBeInstanceOf(ClaimError);
  });

  it("leaves exactly one per shard, whatever is delivered late and whoever is cut off", async () => {
    const step = fc.record({
      who: fc.nat(3),
      what: fc.constantFrom("pass", "pass", "cut", "join", "lose", "keep"),
      ms: fc.nat(1500),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        network = new MemoryNetwork();
        const all: Candidate[] = [];
        for (let i = 0; i < 4; i++) {
          wallMs += steps[i]?.ms ?? 0;
          all.push(await candidate([0], 1));
        }
        for (const { who, what, ms } of steps) {
          if (what === "pass") await passAll(all, ms);
          if (what === "cut" || what === "join") all[who]!.link.plug(what === "join");
          if (what === "lose" || what === "keep") network.deliver = () => what === "keep";
        }
        network.deliver = () => true;
        for (const { link } of all) link.plug(true);
        await passAll(all, 1000);
        await passAll(all, 10_000);
        await passAll(all, 10_000);
        expect(all.filter(({ state }) => state === "held").length).toBe(1);
        expect(all.filter(({ state }) => state instanceof ClaimError).length).toBe(3);
      }),
      { numRuns: 300, seed: 4 },
    );
  });
});

describe("decodeClaim", () => {
  it("reads what is published, and nothing else", async () => {
    await candidate([0, 1], 4);
    const { topic, payload } = network.published[0]!;
    expect(topic).toBe("epic/v1/line/claim");
    expect(decodeClaim(payload)).toMatchObject({ served: [0, 1], shards: 4, held: false });
    for (const change of [
      { served: [4] },
      { shards: -1 },
      { instance: "x" },
      { held: 1 },
      { where: "a\nb" },
      { sinceMs: 1.5 },
    ]) {
      const claim = { ...decodeClaim(payload), ...change };
      expect(decodeClaim(sealJson(claim)), JSON.stringify(change)).toBeUndefined();
    }
    expect(decodeClaim(sealJson({ ...decodeClaim(payload) }))).toBeDefined();
    const altered = payload.slice();
    altered[20]! ^= 1;
    expect(decodeClaim(altered)).toBeUndefined();
    expect(decodeClaim(Buffer.alloc(20_000, " "))).toBeUndefined();
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void decodeClaim(bytes)));
    const documents = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(fc.property(documents, (document) => void decodeClaim(sealJson(document))));
  });
});

let made = 0;
beforeEach(() => {
  made = 0;
});

async function candidate(served: number[], shards: number, survey = "line"): Promise<Candidate> {
  const link = network.link();
  made++;
  const claim = new ShardClaim({
    link,
    survey,
    served,
    shards,
    instance: made.toString(16).padStart(16, "0"),
    where: `host:${made}`,
    now: () => now,
    wallMs: () => wallMs,
  });
  const candidate: Candidate = { claim, link, state: "asking" };
  await claim.start();
  claim.held().then(
    () => {
      candidate.state = "held";
      claim.onLost((error) => {
        candidate.state = error;
      });
    },
    (error: ClaimError) => {
      candidate.state = error;
    },
  );
  return candidate;
}

async function pass(one: Candidate, ms: number): Promise<void> {
  await passAll([one], ms);
}

async function passAll(all: readonly Candidate[], ms: number): Promise<void> {
  await settle();
  now += ms;
  for (const { claim } of all) claim.tick();
  await settle();
}

/** Until every message is delivered and answered. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
