/** SIGKILL at random moments: power cuts, crashes, the out-of-memory killer. */
import { afterEach, expect, it } from "vitest";
import { Field, RECORDS } from "./field.ts";
import { pick, sleep } from "./random.ts";
import type { Service } from "./service.ts";

const KILLS = 6;
let field: Field;
afterEach(() => field.dispose());

it.each(["device", "broker", "central", "any"] as const)(
  "loses and doubles nothing when the %s process is killed",
  async (which) => {
    // The broker keeps nothing on disk: what it holds when it is killed is gone.
    field = await Field.create(`SIGKILL of ${which}`);
    await field.start();
    const moments = new Set(pick(field.random, KILLS, RECORDS));
    const restarts: Promise<void>[] = [];
    await field.shootAll(async (record) => {
      if (moments.has(record)) restarts.push(killAndRestart(victim(which)));
    });
    await Promise.all(restarts);
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

function victim(which: "device" | "broker" | "central" | "any"): Service {
  const { broker, central, edges, random } = field;
  if (which === "broker") return broker;
  if (which === "central") return central;
  const device = edges[random(0, edges.length - 1)]!;
  if (which === "device") return device;
  return [broker, central, device][random(0, 2)]!;
}

const busy = new Map<Service, Promise<void>>();

/** Kills at a random moment from now on, starts again at a random one after that. */
function killAndRestart(service: Service): Promise<void> {
  const [before, after] = [field.random(0, 500), field.random(0, 500)];
  const task = (busy.get(service) ?? Promise.resolve()).then(async () => {
    await sleep(before);
    await service.kill();
    await sleep(after);
    service.start();
  });
  busy.set(service, task);
  return task;
}
