// Records per second of `RecordPool` over 1 to N workers, in turns; each worker's memory is its own.
//   npm run bench:threads [-- N [ROUNDS]]     N: default the processors of this machine
import { availableParallelism } from "node:os";
import { RecordPool } from "../dist/batch/index.js";
import { EdgeEncoder } from "../dist/index.js";

const most = Number(process.argv[2] ?? availableParallelism());
const rounds = Number(process.argv[3] ?? 5);
const RECORDS = 200;

const { geometry } = (await EdgeEncoder.load()).config;
const record = Float32Array.from(
  { length: geometry.shots * geometry.samples * geometry.receivers },
  (_, i) => Math.sin(i),
);
const pools = Array.from({ length: most }, (_, i) => RecordPool.open({ threads: i + 1 }));
const rates = pools.map(() => []);
for (const pool of pools) await run(pool); // workers load, and V8 optimises
for (let round = 0; round < rounds; round++) {
  for (const [i, pool] of pools.entries()) rates[i].push(await run(pool));
}
const medians = rates.map((own) => own.sort((a, b) => a - b)[own.length >> 1]);
for (const [i, rate] of medians.entries()) {
  const best = Math.max(...rates[i]).toFixed(0);
  const times = (rate / medians[0]).toFixed(2);
  console.log(
    `${i + 1} workers: ${rate.toFixed(0)} records/s (best ${best}), ${times} times one worker`,
  );
}
for (const pool of pools) await pool.close();

async function run(pool) {
  const start = performance.now();
  await pool.infer(Array(RECORDS).fill(record), () => {});
  return (1000 * RECORDS) / (performance.now() - start);
}
