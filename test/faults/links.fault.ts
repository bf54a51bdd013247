/** Links that break, go silent, lose and mix up what they carry. */
import { afterEach, expect, it } from "vitest";
import { Field, OUTAGE_SCALE, RECORDS } from "./field.ts";
import { sleep } from "./random.ts";
import type { Loss, Mischief } from "./relay.ts";

const OUTAGE_MS = 60_000 * OUTAGE_SCALE;
let field: Field;
afterEach(() => field.dispose());

it.each(["cut", "silence"] as const)(
  `fills in after a link was lost (%s, ${OUTAGE_MS} ms)`,
  async (how) => {
    field = await Field.create(`link ${how} for ${OUTAGE_MS} ms`);
    await field.start();
    const [from, to] = [Math.ceil(RECORDS * 0.2), Math.ceil(RECORDS * 0.8)];
    await field.shootAll(async (record) => {
      if (record === from) field.relay[how]();
      if (from <= record && record < to) await sleep(OUTAGE_MS / (to - from));
      if (record === to) field.relay.open();
    });
    await finish();
  },
);

const mischiefs: [string, { mischief?: Mischief; loss?: Loss }][] = [
  [
    "5 % of the TCP stream's pieces delayed as if lost, connections reset",
    { loss: { stall: 0.05, reset: 0.002 } },
  ],
  ["5 % of the messages lost, both ways", { mischief: { lose: 0.05 } }],
  ["messages duplicated", { mischief: { duplicate: 0.3 } }],
  ["messages reordered", { mischief: { reorder: 0.3 } }],
  ["messages altered, both ways", { mischief: { alter: 0.1 } }],
  [
    "all of it at once",
    {
      mischief: { lose: 0.05, duplicate: 0.1, reorder: 0.1, alter: 0.05 },
      loss: { stall: 0.02, reset: 0.002 },
    },
  ],
];

it.each(mischiefs)(
  "loses and doubles nothing with %s",
  async (name, { mischief = {}, loss = {} }) => {
    field = await Field.create(name);
    field.relay.mischief = mischief;
    field.relay.loss = loss;
    await field.start();
    await field.shootAll();
    await field.allAccounted();
    const { counts } = field.relay;
    const happened = Object.values(counts).reduce((a, b) => a + b, 0);
    expect(happened).toBeGreaterThan(0);
    field.relay.mischief = {};
    field.relay.loss = {};
    await finish();
  },
);

async function finish(): Promise<void> {
  await field.allAccounted();
  await field.emptyOutboxes();
  expect(await field.account()).toMatchObject({ complete: RECORDS, lost: 0, doubled: 0, named: 0 });
}
