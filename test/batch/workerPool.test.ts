import { describe, expect, it } from "vitest";
import { type Lane, WorkerPool } from "../../src/batch/workerPool.ts";

async function* numbers(count: number): AsyncGenerator<number> {
  for (let i = 0; i < count; i++) yield i;
}

/** Doubles numbers; `delays` are per task, in turns of the event loop. */
function lane(delays: readonly number[] = []): Lane<number, number> {
  return {
    async run(task) {
      for (let i = 0; i < (delays[task] ?? 0); i++) await new Promise(setImmediate);
      if (task === 13) throw new Error("task 13: bad luck");
      return 2 * task;
    },
    async close() {},
  };
}

describe("WorkerPool", () => {
  it.each([1, 3])("runs every task once on %d lanes", async (lanes) => {
    const pool = new WorkerPool(Array.from({ length: lanes }, () => lane([5, 0, 2])));
    const replies: number[] = [];
    await pool.run(numbers(10), (reply, task) => {
      replies[task] = reply;
    });
    expect(replies).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
  });

  it("asks for a task only when a lane is free", async () => {
    let asked = 0;
    let done = 0;
    async function* tasks() {
      for (; asked < 20; asked++) {
        expect(asked - done).toBeLessThanOrEqual(2);
        yield asked;
      }
    }
    await new WorkerPool([lane([3]), lane()])
      .run(tasks(), (_, task) => {
        if (task !== 13) done++;
      })
      .catch(() => {});
  });

  it("rejects with the first failure and starts no task after it", async () => {
    const started: number[] = [];
    async function* tasks() {
      for (const task of [1, 13, 2, 3, 4, 5, 6]) {
        started.push(task);
        yield task;
      }
    }
    const pool = new WorkerPool([lane()]);
    await expect(pool.run(tasks(), () => {})).rejects.toThrow("task 13: bad luck");
    expect(started).toEqual([1, 13]);
  });

  it("passes on what onReply throws", async () => {
    const pool = new WorkerPool([lane(), lane()]);
    const failing = pool.run(numbers(5), () => {
      throw new Error("disk: full");
    });
    await expect(failing).rejects.toThrow("disk: full");
  });
});
