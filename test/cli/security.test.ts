/** `epic broker` with TLS and users, and the two sides with their tokens, as real processes. */
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { encodeNpy } from "../../src/io/npy.ts";
import { Users } from "../../src/transport/index.ts";
import { scratch, until } from "../edge/smallSurvey.ts";
import { tinyTraces } from "../library/tinyModel.ts";
import { Authority } from "../transport/certificates.ts";
import { type Running, requireBuild, run, start } from "./processes.ts";
import { writeSurveyModel } from "./surveyModel.ts";

const slowMs = 300_000;
let folder: Awaited<ReturnType<typeof scratch>>;
const running: Running[] = [];

beforeEach(async () => {
  requireBuild();
  folder = await scratch();
});
afterEach(async () => {
  for (const { child, ended } of running.splice(0)) {
    child.kill("SIGKILL");
    await ended;
  }
  await folder.dispose();
});

it(
  "takes a record over TLS from a device with a token, and nothing from one whose token is gone",
  async () => {
    const model = await writeSurveyModel(at("model"), 1);
    const authority = new Authority();
    const { cert, key } = authority.issue();
    await writeFile(at("ca.pem"), authority.cert);
    await writeFile(at("cert.pem"), cert);
    await writeFile(at("key.pem"), key, { mode: 0o600 });
    for (const user of ["line.central", "line.device.0", "line.device.1"]) await addUser(user);
    const tls = ["--tls-cert", at("cert.pem"), "--tls-key", at("key.pem")];
    const broker = keep(start(["broker", "--port", "0", "--users", at("users"), ...tls]));
    await until(() => /^mqtts:.*:\d+$/m.test(broker.stdout()), slowMs);
    const url = broker.stdout().trim().replace("127.0.0.1", "localhost");
    const common = [
      "--broker",
      url,
      "--survey",
      "line",
      "--model",
      at("model"),
      "--tls-ca",
      at("ca.pem"),
    ];
    const token = (user: string) => ["--token-file", at(`${user}.token`)];
    keep(
      start([
        "central",
        ...common,
        ...token("line.central"),
        "--out",
        at("results"),
        "--deadline",
        "0",
      ]),
    );
    for (const device of [0, 1]) {
      await mkdir(at(`source-${device}`));
      const npy = encodeNpy([5, 1000, 14], tinyTraces(model.config, 7));
      await writeFile(join(at(`source-${device}`), "1.npy"), npy);
    }
    const edge = (device: number, user = `line.device.${device}`) =>
      keep(
        start(
          ["edge", ...common, ...token(user), "--device", `${device}`, "--once", "--json"].concat([
            "--source",
            at(`source-${device}`),
            "--outbox",
            at(`outbox-${device}`),
          ]),
        ),
      );
    const first = await edge(0).ended;
    expect(first.code, first.stderr).toBe(0);
    expect(JSON.parse(first.stdout)).toMatchObject({ acknowledged: 1, waiting: 0 });
    expect(first.stderr).not.toContain("epic:");
    expect(await readdir(join(at("results"), "1"))).toContain("record.json");

    // Device 0's token does not let device 1 in.
    const impostor = edge(1, "line.device.0");
    await until(() => impostor.stderr().includes("Bad username or password"), slowMs);
    await until(() => broker.stderr().includes("refused credentials from 127.0.0.1"), slowMs);
    expect(broker.stderr()).toContain('user "line.device.1"');
    impostor.child.kill("SIGTERM");
    await impostor.ended;

    const removed = await run(["broker", "--users", at("users"), "--remove-user", "line.device.1"]);
    expect(removed.code, removed.stderr).toBe(0);
    await until(() => /: 2 users$/m.test(broker.stderr()), slowMs);
    const gone = edge(1);
    await until(() => gone.stderr().includes("Bad username or password"), slowMs);
    broker.child.kill("SIGTERM");
    const { stderr } = await broker.ended;
    expect(stderr).toMatch(/^broker: refused credentials: [1-9]\d*$/m);
  },
  slowMs,
);

it(
  "gives users fresh tokens that it keeps as hashes, and the same rights to Mosquitto",
  async () => {
    const printed = await run(["broker", "--users", at("users"), "--add-user", "line.device.0"]);
    expect(printed.code, printed.stderr).toBe(0);
    await addUser("line.central");
    const { mode } = await stat(at("users"));
    expect(mode & 0o777).toBe(0o600);
    expect((await stat(at("line.central.token"))).mode & 0o777).toBe(0o600);
    const users = await Users.read(at("users"));
    expect(users.authenticate("line.device.0", Buffer.from(printed.stdout.trim()))).toBeDefined();
    const exported = await run(["broker", "--users", at("users"), "--mosquitto", at("mosquitto")]);
    expect(exported.code, exported.stderr).toBe(0);
    const text = (name: string) => readFile(join(at("mosquitto"), name), "utf8");
    expect(await text("devices.passwd")).toBe(users.without("line.central").format());
    expect(await text("central.passwd")).toBe(users.without("line.device.0").format());
    expect((await text("acl")).split("\n\n")[1]).toBe(
      [
        "user line.device.0",
        "topic write epic/v1/line/+/latent/0",
        "topic write epic/v1/line/+/gap/0",
        "topic write epic/v1/line/status/device/0",
        "topic read epic/v1/line/+/ack/0",
        "topic read epic/v1/line/status/central/+\n",
      ].join("\n"),
    );
  },
  slowMs,
);

it(
  "says in one line what is wrong with users, tokens and certificates",
  async () => {
    await writeFile(at("empty"), "");
    await writeFile(at("text"), "no certificate");
    await writeFile(at("bad-users"), "me:secret\n");
    const edge = [
      "edge",
      "--survey",
      "line",
      "--device",
      "0",
      "--source",
      folder.path,
      "--outbox",
      at("o"),
    ];
    const cases: [string[], RegExp, number][] = [
      [["broker", "--add-user", "line.central"], /--users: expected the user file/, 2],
      [
        ["broker", "--users", at("u"), "--add-user", "line.edge.0"],
        /--add-user: expected SURVEY/,
        2,
      ],
      [
        ["broker", "--users", at("u"), "--token-file", at("t")],
        /--token-file: expected --add-user/,
        2,
      ],
      [["broker", "--users", at("absent"), "--port", "0"], /absent: no such file/, 1],
      [
        ["broker", "--users", at("bad-users"), "--port", "0"],
        /bad-users: line 1: expected a user/,
        1,
      ],
      [["broker", "--tls-cert", at("text"), "--port", "0"], /--tls-cert: expected --tls-key/, 2],
      [["broker", "--tls-ca", at("text"), "--port", "0"], /--tls-ca: expected --tls-cert/, 2],
      [
        ["broker", "--tls-cert", at("text"), "--tls-key", at("text"), "--port", "0"],
        /--tls-cert: expected a PEM file/,
        2,
      ],
      [
        [...edge, "--broker", "mqtts://localhost", "--token-file", at("none")],
        /--token-file: expected a file/,
        2,
      ],
      [
        [...edge, "--broker", "mqtts://localhost", "--token-file", at("empty")],
        /--token-file: expected a token/,
        2,
      ],
      [
        [...edge, "--broker", "mqtt://localhost", "--tls-ca", at("text")],
        /--broker: expected mqtts:/,
        2,
      ],
      [
        [...edge, "--broker", "mqtts://localhost", "--tls-ca", at("text")],
        /--tls-ca: expected a PEM file/,
        2,
      ],
    ];
    const runs = await Promise.all(cases.map(([args]) => run(args)));
    for (const [i, [, line, code]] of cases.entries()) {
      const ended = runs[i]!;
      expect(ended.stderr).toMatch(line);
      expect(ended.code, ended.stderr).toBe(code);
      expect(ended.stderr.trim().split("\n").length).toBe(1);
    }
  },
  slowMs,
);

function at(name: string): string {
  return join(folder.path, name);
}

async function addUser(name: string): Promise<void> {
  const args = ["broker", "--users", at("users"), "--add-user", name];
  const ended = await run([...args, "--token-file", at(`${name}.token`)]);
  expect(ended.code, ended.stderr).toBe(0);
}

function keep(process: Running): Running {
  running.push(process);
  return process;
}
