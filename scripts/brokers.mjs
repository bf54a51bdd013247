// Brings the broker that `npm run test:brokers` builds itself: nats-server, with Go, into build/brokers. What cannot be had is said
// and left out; the tests then skip it. Mosquitto comes from the system: apt-get install mosquitto.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { resolve } from "node:path";

const natsServer = "2.15.2";
const folder = resolve("build/brokers");

mkdirSync(folder, { recursive: true });
if (installed() !== natsServer) {
  console.log(`brokers: go install nats-server ${natsServer}`);
  const build = ["install", `github.com/nats-io/nats-server/v2@v${natsServer}`];
  const { status, stderr, error } = spawnSync("go", build, {
    encoding: "utf8",
    env: { ...process.env, GOBIN: folder },
  });
  if (status !== 0) {
    const reason = (error?.message ?? stderr).trim().split("\n").at(-1);
    console.log(`brokers: going on without nats-server: ${reason}`);
  }
}

function installed() {
  const path = `${folder}/nats-server`;
  if (!existsSync(path)) return undefined;
  return /v(\S+)/.exec(spawnSync(path, ["--version"], { encoding: "utf8" }).stdout)?.[1];
}
