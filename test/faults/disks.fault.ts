/** Outboxes and disks that are full. */
import { execFileSync } from "node:child_process";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { Field, RECORDS } from "./field.ts";
import { sleep } from "./random.ts";

/** A third of the run's frames, of 64 latent codes each, in MiB. */
const QUOTA_MIB = ((RECORDS / 3) * 128) / 2 ** 20;
let field: Field;
const mounts: string[] = [];

afterEach(async () => {
  await field.dispose().catch(() => {});
  for (const mount of mounts.splice(0)) execFileSync("umount", ["-l", mount]);
});

it("keeps records in their folder while the outbox is full, and loses none", async () => {
  field = await Field.create("outbox full, policy wait", { edgeArgs: quota() });
  const full = new Set<string>();
  for (const edge of field.edges) {
    edge.onLine = (line) => void (line.includes("no room (outbox full)") && full.add(edge.name));
  }
  field.relay.cut();
  await field.start();
  await field.shootAll();
  await until(() => full.size === field.devices);
  field.relay.open();
  await field.allAccounted();
  await field.emptyOutboxes();
  expect(await field.account()).toMatchObject({ complete: RECORDS, lost: 0, doubled: 0, named: 0 });
});

it("names every frame that a full outbox drops, also over a SIGKILL", async () => {
  field = await Field.create("outbox full, policy drop-oldest", {
    edgeArgs: [...quota(), "--when-full", "drop-oldest"],
    deadlineMs: 2000,
  });
  const stored = field.edges.map(() => new Set<string>());
  for (const [device, edge] of field.edges.entries()) {
    edge.onLine = (line) => {
      const record = /record (\d+) stored/.exec(line)?.[1];
      if (record !== undefined) stored[device]!.add(record);
    };
  }
  field.relay.cut();
  await field.start();
  await field.shootAll();
  await until(() => stored.every((records) => records.size === RECORDS));
  for (const edge of field.edges) {
    await edge.kill();
    edge.start();
  }
  field.relay.open();
  await field.allAccounted();
  await field.emptyOutboxes();
  const account = await field.account();
  expect(account).toMatchObject({ lost: 0, doubled: 0, reasons: ["outbox-full"] });
  expect(account.named).toBeGreaterThanOrEqual(field.devices * Math.floor(RECORDS / 2));
  expect(account.complete).toBeGreaterThan(0);
});

it.skipIf(!canMount())(
  "goes on when the disk of an outbox fills up and is freed again",
  async () => {
    field = await Field.create("device disk full", { edgeArgs: ["--disk-reserve-mib", "0"] });
    const disk = await smallDisk("disk-0", 8);
    await field.start();
    const [edge] = field.edges;
    await edge!.kill("SIGTERM");
    field.setUp(0, { outbox: join(disk, "outbox") });
    let failed = 0;
    let stored = 0;
    edge!.onLine = (line) => {
      if (/No space left|no room|disk error/.test(line)) failed++;
      if (/ stored: /.test(line)) stored++;
    };
    edge!.start();
    await field.shootAll(async (record) => {
      if (record !== Math.ceil(RECORDS / 5)) return;
      await until(() => stored > 0);
      await fill(disk);
    });
    await until(() => failed > 0);
    await rm(join(disk, "filler"));
    await field.allAccounted();
    await field.emptyOutboxes();
    expect(await field.account()).toMatchObject({
      complete: RECORDS,
      lost: 0,
      doubled: 0,
      named: 0,
    });
  },
);

it.skipIf(!canMount())("acknowledges nothing while the central disk is full", async () => {
  field = await Field.create("central disk full");
  const disk = await smallDisk("results", 8);
  let failed = 0;
  const heard = field.central.onLine;
  field.central.onLine = (line) => {
    heard(line);
    if (line.includes("could not be handled")) failed++;
  };
  await field.start();
  await field.shootAll(async (record) => {
    if (record !== Math.ceil(RECORDS / 5)) return;
    await until(() => field.commits.size > 0);
    await fill(disk);
  });
  await until(() => failed > 0);
  await rm(join(disk, "filler"));
  await field.allAccounted();
  await field.emptyOutboxes();
  expect(await field.account()).toMatchObject({ complete: RECORDS, lost: 0, doubled: 0, named: 0 });
});

function quota(): string[] {
  return ["--outbox-mib", QUOTA_MIB.toFixed(6)];
}

/** A file system of its own, of a few MiB. */
async function smallDisk(name: string, mib: number): Promise<string> {
  const path = join(field.folder, name);
  await mkdir(path);
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${mib}m`, "epic-test", path]);
  mounts.push(path);
  return path;
}

/** Takes all the room there is. */
async function fill(disk: string): Promise<void> {
  const file = await open(join(disk, "filler"), "w");
  try {
    for (const bytes of [65_536, 4096, 512, 1]) {
      for (;;) await file.write(new Uint8Array(bytes));
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  } finally {
    await file.close();
  }
}

function canMount(): boolean {
  const root = process.platform === "linux" && process.getuid?.() === 0;
  if (!root) console.log("full disks: skipped, only root can mount a small one");
  return root;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    field.checkFaults();
    await sleep(100);
  }
}
