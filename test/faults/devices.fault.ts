/** Devices that are slow, have another model, or no idea of the time. */
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { Field, RECORDS } from "./field.ts";
import { sleep } from "./random.ts";

let field: Field;
afterEach(() => field.dispose());

it("decodes without a slow device, and refines with it", async () => {
  field = await Field.create("slow device", { deadlineMs: 700 });
  await field.start();
  const [slow] = field.edges;
  let over = false;
  const stutter = (async () => {
    while (!over) {
      slow!.signal("SIGSTOP");
      await sleep(field.random(1000, 2000));
      slow!.signal("SIGCONT");
      await sleep(field.random(100, 400));
    }
  })();
  await field.shootAll(() => sleep(100));
  over = true;
  await stutter;
  await until(async () => (await field.account({ interim: true })).complete === RECORDS);
  await field.emptyOutboxes();
  expect(await field.account()).toMatchObject({ complete: RECORDS, lost: 0, doubled: 0, named: 0 });
  expect([...field.commits.values()].some((commits) => commits.length > 1)).toBe(true);
});

it("names what a device with another model made, and takes it from the right model later", async () => {
  field = await Field.create("device with another model", { deadlineMs: 700 });
  await field.start();
  const wrong = field.edges[1]!;
  await wrong.kill();
  field.setUp(1, { model: "other" });
  wrong.start();
  await field.shootAll();
  await field.allAccounted();
  await until(async () => {
    const { named, complete } = await field.account({ interim: true });
    return named === RECORDS && complete === 0;
  });
  await field.emptyOutboxes();
  expect(await field.account()).toMatchObject({
    complete: 0,
    lost: 0,
    doubled: 0,
    named: RECORDS,
    reasons: ["refused-unknown-model"],
  });
  // The right model encodes the records anew, into an outbox of its own.
  field.setUp(1, { outbox: join(field.folder, "outbox-1-anew") });
  wrong.start();
  await until(async () => (await field.account({ interim: true })).complete === RECORDS);
  expect(await field.account()).toMatchObject({ lost: 0, doubled: 0, named: 0 });
});

it("keeps its deadlines and loses nothing when wall clocks jump by days", async () => {
  const preload = new URL("./jumpingClock.mjs", import.meta.url).href;
  field = await Field.create("clock jumps", {
    env: { NODE_OPTIONS: `--import=${preload}` },
    edgeArgs: ["--outbox-age", "3600"],
  });
  await field.start();
  await field.shootAll(() => sleep(50));
  await field.allAccounted();
  await field.emptyOutboxes();
  expect(await field.account()).toMatchObject({ complete: RECORDS, lost: 0, doubled: 0, named: 0 });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) {
    field.checkFaults();
    await sleep(1000);
  }
}
