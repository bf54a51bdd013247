import { chmod, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { parseTopic, parseUserName, userName } from "../../src/protocol/index.ts";
import {
  filterCovers,
  mayConnectAs,
  mayPublish,
  maySubscribe,
  rightsOf,
} from "../../src/transport/access.ts";
import { Users } from "../../src/transport/index.ts";

const device = { role: "device", survey: "line-4", device: 2 } as const;
const central = { role: "central", survey: "line-4" } as const;
const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

describe("Users", () => {
  it("knows a user by its token alone", () => {
    const first = new Users().with("line-4.device.2");
    const { users, token } = first.users.with("line-4.central");
    expect(users.authenticate("line-4.device.2", Buffer.from(first.token))).toEqual(device);
    expect(users.authenticate("line-4.central", Buffer.from(token))).toEqual(central);
    expect(users.authenticate("line-4.device.2", Buffer.from(token))).toBeUndefined();
    expect(users.authenticate("line-4.device.3", Buffer.from(first.token))).toBeUndefined();
    expect(users.authenticate("", new Uint8Array())).toBeUndefined();
    expect(users.format()).not.toContain(token);
    expect(token).toMatch(/^[\w-]{43}$/);
  });

  it("comes back from its file, which others cannot read, with a new token in place of the old", async () => {
    const path = join(await folder(), "users");
    const first = new Users().with("line-4.device.2");
    await first.users.write(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await chmod(path, 0o644);
    const { users, token } = (await Users.read(path)).with("line-4.device.2");
    await users.write(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const read = await Users.read(path);
    expect(read.authenticate("line-4.device.2", Buffer.from(token))).toEqual(device);
    expect(read.authenticate("line-4.device.2", Buffer.from(first.token))).toBeUndefined();
    expect(read.agreesWith(users, "line-4.device.2")).toBe(true);
    expect(read.agreesWith(first.users, "line-4.device.2")).toBe(false);
    expect(read.without("line-4.device.2").names).toEqual([]);
  });

  it("reads a line that mosquitto_passwd wrote", () => {
    // mosquitto_passwd 2.0.11 -b FILE line-4.device.2 abc
    const line =
      "line-4.device.2:$7$101$tAdgtv31xvfQqnVW$faytksUGxlbmoItcpgn4rSewLysNvmvJ3O3QN5kH5C5Ba8RNxklQ8f7IdEYUuafKqEBl4Q88HgGAf7Rxl4BOig==";
    const users = Users.parse(`# comment\n\n${line}\n`, "users");
    expect(users.authenticate("line-4.device.2", Buffer.from("abc"))).toEqual(device);
    expect(users.authenticate("line-4.device.2", Buffer.from("abd"))).toBeUndefined();
  });

  it.each([
    ["someone:$7$101$AAAA$AAAA", /^u: line 1: expected a user "SURVEY\.device\.N"/],
    ["\nline-4.central", /^u: line 2: expected a user/],
    ["line-4.central:plain", /^u: line 1: expected \$7\$iterations\$salt\$hash/],
    ["line-4.central:$7$9999999$AAAA$AAAA", /^u: line 1: expected \$7/],
  ])("says in one line what is wrong with %j", (text, message) => {
    expect(() => Users.parse(text, "u")).toThrow(message);
  });

  it("refuses a user twice, and a file that is far too long", async () => {
    const line = new Users().with("a.central").users.format();
    expect(() => Users.parse(line + line, "u")).toThrow("line 2: expected each user once");
    const path = join(await folder(), "users");
    await writeFile(path, Buffer.alloc(17 * 2 ** 20, "#"));
    await expect(Users.read(path)).rejects.toThrow("expected at most");
  });
});

describe("user names", () => {
  it("say what their bearer is", () => {
    expect(parseUserName("line-4.device.2")).toEqual(device);
    expect(parseUserName(userName(central))).toEqual(central);
  });

  it.each([
    "line-4.device.02",
    "line-4.device.65536",
    "line-4.device.",
    "Line.central",
    ".central",
    "line-4.edge.1",
  ])("%j is none", (name) => expect(parseUserName(name)).toBeUndefined());
});

describe("rights", () => {
  const frame = { retain: false, bytes: 1088 };
  const status = { retain: true, bytes: 6 };

  it.each([
    ["epic/v1/line-4/0/latent/2", frame, true],
    ["epic/v1/line-4/65535/latent/2", frame, true],
    ["epic/v1/line-4/0/gap/2", { retain: false, bytes: 200 }, true],
    ["epic/v1/line-4/0/gap/3", { retain: false, bytes: 200 }, false],
    ["epic/v1/line-4/status/device/2", status, true],
    ["epic/v1/line-4/0/latent/2", { retain: true, bytes: 1088 }, false],
    ["epic/v1/line-4/0/latent/2", { retain: false, bytes: 20_000 }, false],
    ["epic/v1/line-4/0/latent/3", frame, false],
    ["epic/v1/line-5/0/latent/2", frame, false],
    ["epic/v1/line-4/0/ack/2", { retain: false, bytes: 60 }, false],
    ["epic/v1/line-4/x/latent/2", frame, false],
    ["epic/v1/line-4/00/latent/2", frame, false],
    ["epic/v1/line-4/65536/latent/2", frame, false],
    ["epic/v1/line-4/status/device/1", status, false],
    ["epic/v1/line-4/status/device/2", { retain: true, bytes: 65 }, false],
    ["epic/v1/line-4/status/central/0-of-1", status, false],
    ["epic/v1/line-4/claim", { retain: false, bytes: 10 }, false],
    ["$SYS/broker/uptime", status, false],
    ["", status, false],
  ])("device 2 to %s %j: %s", (topic, how, allowed) => {
    expect(mayPublish(device, { topic, ...how })).toBe(allowed);
  });

  it.each([
    ["epic/v1/line-4/0/ack/2", { retain: false, bytes: 60 }, true],
    ["epic/v1/line-4/0/ack/2", { retain: true, bytes: 60 }, false],
    ["epic/v1/line-4/status/central/0-1-of-4", status, true],
    ["epic/v1/line-4/claim", { retain: false, bytes: 200 }, true],
    ["epic/v1/line-4/claim", { retain: true, bytes: 200 }, false],
    ["epic/v1/line-4/0/latent/2", frame, false],
    ["epic/v1/line-4/status/device/2", status, false],
    ["epic/v1/other/0/ack/2", { retain: false, bytes: 60 }, false],
  ])("central to %s %j: %s", (topic, how, allowed) => {
    expect(mayPublish(central, { topic, ...how })).toBe(allowed);
  });

  it.each([
    ["epic/v1/line-4/+/ack/2", true],
    ["epic/v1/line-4/3/ack/2", true],
    ["epic/v1/line-4/status/central/+", true],
    ["epic/v1/line-4/+/ack/+", false],
    ["epic/v1/line-4/+/ack/#", false],
    ["epic/v1/line-4/#", false],
    ["epic/v1/line-4/+/latent/2", false],
    ["$share/g/epic/v1/line-4/+/ack/2", false],
    ["#", false],
    ["+/+/+/+/+/+", false],
  ])("device 2 from %s: %s", (filter, allowed) => {
    expect(maySubscribe(device, filter)).toBe(allowed);
  });

  it("never allow what the exported filters do not", () => {
    const levels = fc.constantFrom(
      "epic",
      "v1",
      "line-4",
      "line-5",
      "0",
      "2",
      "3",
      "latent",
      "ack",
      "gap",
      "status",
      "device",
      "central",
      "claim",
      "0-of-1",
    );
    const topics = fc.oneof(
      fc.array(levels, { minLength: 1, maxLength: 7 }),
      fc
        .array(levels, { minLength: 1, maxLength: 4 })
        .map((tail) => ["epic", "v1", "line-4", ...tail]),
    );
    let allowedCount = 0;
    fc.assert(
      fc.property(topics, fc.constantFrom(device, central), (parts, identity) => {
        const topic = parts.join("/");
        if (!mayPublish(identity, { topic, retain: false, bytes: 1 })) return;
        allowedCount++;
        expect(parseTopic(topic)).toBeDefined();
        const { publish } = rightsOf(identity);
        expect(publish.some((filter) => filterCovers(filter, topic))).toBe(true);
      }),
      { numRuns: 20_000, seed: 1 },
    );
    expect(allowedCount).toBeGreaterThan(10);
  });

  it("hold each to client ids of its own", () => {
    expect(mayConnectAs(device, "epic-line-4-edge-2")).toBe(true);
    expect(mayConnectAs(device, "epic-line-4-edge-20")).toBe(false);
    expect(mayConnectAs(device, "epic-line-4-central-0-of-1")).toBe(false);
    expect(mayConnectAs(central, "epic-line-4-central-0-of-1")).toBe(true);
    expect(mayConnectAs(central, "epic-line-4-edge-2")).toBe(false);
  });
});

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "epic-users-"));
  folders.push(path);
  return path;
}
