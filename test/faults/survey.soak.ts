/**
 * A long survey with random faults: nothing lost, nothing doubled, memory bounded. Processes are killed
 * in the first part of the run; in the rest, where memory is looked at, links break and get bumpy.
 */
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { Field, RECORDS } from "./field.ts";
import { MemoryWatch, median } from "./memoryWatch.ts";
import { sleep } from "./random.ts";
import { drawCurves } from "./rssPlot.ts";

/** Ends earlier, with the records that it has got to. */
const MINUTES_MAX = Number(process.env.EPIC_SOAK_MINUTES ?? Number.POSITIVE_INFINITY);
const OUT = new URL("../../build/soak/", import.meta.url).pathname;
const FAULT_EVERY = 120;
const KILLS_UNTIL = 0.6;
/** Records given to the devices and not committed yet: sources do not run ahead without end. */
const AHEAD_MAX = 200;
/** Growth over the last two fifths of the run that counts as bounded: noise of the collector. */
const GROWTH_MAX = { factor: 1.25, mib: 24 };
const RSS_MIB_MAX = 400;

let field: Field;
const faults: { record: number; what: string }[] = [];
afterEach(() => field.dispose());

it(`takes up to ${RECORDS} records through random faults`, async () => {
  field = await Field.create("soak");
  await field.start();
  const start = performance.now();
  const minutes = () => (performance.now() - start) / 60_000;
  const services = [field.broker, field.central, ...field.edges];
  let shot = 0;
  const progress = () => Math.min(1, Math.max(shot / RECORDS, minutes() / MINUTES_MAX));
  const memory = new MemoryWatch(services, progress);
  const pending: Promise<void>[] = [];
  let swept = 1;
  while (progress() < 1) {
    const record = shot + 1;
    while (record - field.commits.size > AHEAD_MAX) await breathe();
    if (field.random(1, FAULT_EVERY) === 1) pending.push(disturb(record, progress()));
    await field.shoot(record);
    shot = record;
    if (record % 50 === 0) swept = await sweep(swept);
  }
  field.records = shot;
  await Promise.all(pending);
  calm();
  await field.allAccounted(3_600_000);
  memory.stop();
  await field.emptyOutboxes();
  const account = await field.account();
  await mkdir(OUT, { recursive: true });
  const took = minutes();
  const document = { seed: field.seed, ...account, minutes: took, faults, samples: memory.samples };
  await writeFile(join(OUT, "soak.json"), `${JSON.stringify(document)}\n`);
  await writeFile(join(OUT, "soak.png"), drawCurves(memory.samples, memory.names));
  console.log(`${took.toFixed(1)} min, ${faults.length} faults: ${OUT}soak.json, soak.png`);
  expect(account).toMatchObject({ complete: shot, lost: 0, doubled: 0, named: 0 });
  for (const name of memory.names) {
    const early = median(memory.between(name, KILLS_UNTIL, 0.8));
    const late = median(memory.between(name, 0.9, 1));
    const most = Math.max(...memory.between(name, 0, 1));
    console.log(
      `${name}: ${early.toFixed(0)} -> ${late.toFixed(0)} MiB, at most ${most.toFixed(0)}`,
    );
    expect(late, name).toBeLessThan(early * GROWTH_MAX.factor + GROWTH_MAX.mib);
    expect(most, name).toBeLessThan(RSS_MIB_MAX);
  }
});

async function disturb(record: number, progress: number): Promise<void> {
  const killing = progress < KILLS_UNTIL && field.random(0, 1) === 0;
  const what = killing ? await kill() : await shake();
  faults.push({ record, what });
}

/** One process goes and comes back; one at a time, so that none is started twice. */
let killing: Promise<void> = Promise.resolve();
async function kill(): Promise<string> {
  const { broker, central, edges, random } = field;
  const victims = [broker, central, edges[random(0, edges.length - 1)]!];
  const victim = victims[random(0, 2)]!;
  const [before, after] = [random(0, 500), random(0, 1000)];
  killing = killing.then(async () => {
    await sleep(before);
    await victim.kill();
    await sleep(after);
    victim.start();
  });
  await killing;
  return `SIGKILL ${victim.name}`;
}

async function shake(): Promise<string> {
  const { relay, random, edges } = field;
  const ms = random(500, 4000);
  switch (random(0, 3)) {
    case 0:
      relay.cut();
      await sleep(ms);
      relay.open();
      return `link cut ${ms} ms`;
    case 1:
      relay.silence();
      await sleep(ms);
      relay.open();
      return `link silent ${ms} ms`;
    case 2:
      relay.mischief = { lose: 0.05, duplicate: 0.1, reorder: 0.1, alter: 0.05 };
      relay.loss = { stall: 0.02 };
      await sleep(2 * ms);
      calm();
      return `messages lost, doubled, mixed up, altered for ${2 * ms} ms`;
    default: {
      const edge = edges[random(0, edges.length - 1)]!;
      edge.signal("SIGSTOP");
      await sleep(ms);
      edge.signal("SIGCONT");
      return `${edge.name} stopped ${ms} ms`;
    }
  }
}

function calm(): void {
  field.relay.mischief = {};
  field.relay.loss = {};
}

/** Removes source files of records that are committed, as an operator would; the next one to look at. */
async function sweep(from: number): Promise<number> {
  let record = from;
  // A central process that was killed may not have said what it committed.
  for (; existsSync(join(field.out, `${record}`, "record.json")); record++) {
    for (let device = 0; device < field.devices; device++) {
      await rm(join(field.sourceOf(device), `${record}.npy`), { force: true });
    }
  }
  return record;
}

async function breathe(): Promise<void> {
  field.checkFaults();
  await sleep(50);
}
