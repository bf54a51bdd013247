/** Packets that are lost on their way, by the kernel: devices in a network namespace behind nftables. */
import { execFileSync } from "node:child_process";
import { afterEach, expect, it } from "vitest";
import { Field, RECORDS } from "./field.ts";

const PERCENT = 5;
const NAMESPACE = `epic-loss-${process.pid}`;
const WIRE = `epl${process.pid}`;
/** 198.18.0.0/15 is set aside for tests of networks (RFC 2544). */
const HERE = "198.18.251.1";
const THERE = "198.18.251.2";

let field: Field | undefined;
afterEach(async () => {
  await field?.dispose();
  // The other end of the wire goes with it.
  for (const args of [`link del ${WIRE}`, `netns del ${NAMESPACE}`]) {
    try {
      ip(args);
    } catch {
      // It was not made.
    }
  }
});

it(`loses and doubles nothing while ${PERCENT} % of the packets are lost, both ways`, async ({
  skip,
}) => {
  const why = layWire();
  if (why !== undefined) skip(why);
  field = await Field.create(`${PERCENT} % of the packets lost`, {
    elsewhere: { brokerHost: HERE, command: ["ip", "netns", "exec", NAMESPACE] },
  });
  await field.start();
  await field.shootAll();
  await field.allAccounted();
  const lost = packetsLost();
  console.log(`packets lost: ${lost.join(" in, ")} out`);
  for (const count of lost) expect(count).toBeGreaterThan(0);
  nft("flush ruleset");
  await field.emptyOutboxes();
  expect(await field.account()).toMatchObject({ complete: RECORDS, lost: 0, doubled: 0, named: 0 });
});

/** A namespace, a wire to it, and the rule at its end of it; why not, where that cannot be had. */
function layWire(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "it takes Linux and root";
  try {
    ip(`netns add ${NAMESPACE}`);
    ip(`link add ${WIRE} type veth peer name wire netns ${NAMESPACE}`);
    ip(`addr add ${HERE}/24 dev ${WIRE}`);
    ip(`link set ${WIRE} up`);
    ip(`-n ${NAMESPACE} addr add ${THERE}/24 dev wire`);
    for (const end of ["lo", "wire"]) ip(`-n ${NAMESPACE} link set ${end} up`);
    nft("add table inet loss");
    for (const hook of ["input", "output"]) {
      nft(`add chain inet loss ${hook} { type filter hook ${hook} priority 0; }`);
      const device = hook === "input" ? "iifname" : "oifname";
      nft(
        `add rule inet loss ${hook} ${device} wire numgen random mod 100 < ${PERCENT} counter drop`,
      );
    }
    return undefined;
  } catch (error) {
    return `it takes ip (iproute2) and nft (nftables): ${(error as Error).message.trim().split("\n").at(-1)}`;
  }
}

function packetsLost(): number[] {
  return [...nft("list table inet loss").matchAll(/counter packets (\d+)/g)].map(([, count]) =>
    Number(count),
  );
}

function nft(rule: string): string {
  return execFileSync("ip", ["netns", "exec", NAMESPACE, "nft", rule], { encoding: "utf8" });
}

function ip(args: string): void {
  execFileSync("ip", args.split(" "), { stdio: "pipe" });
}
