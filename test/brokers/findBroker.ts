/** Brokers of other projects, where this machine has them. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const built = fileURLToPath(new URL("../../build/brokers/nats-server", import.meta.url));

/** Path of the program, or undefined, with the reason on stdout. */
export function findBroker(name: "mosquitto" | "nats-server"): string | undefined {
  const places = name === "mosquitto" ? ["mosquitto", "/usr/sbin/mosquitto"] : [built, name];
  for (const place of places) {
    if (place.startsWith("/") ? existsSync(place) : runs(place)) return place;
  }
  const remedy =
    name === "mosquitto" ? "apt-get install mosquitto" : "node scripts/brokers.mjs, which needs Go";
  console.log(`skipped: no ${name} here (${remedy})`);
  return undefined;
}

function runs(program: string): boolean {
  return spawnSync(program, ["-h"]).error === undefined;
}
