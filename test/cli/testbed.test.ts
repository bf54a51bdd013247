/** `epic testbed` as a user runs it: the built program, real processes, real sockets. */
import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ARMS } from "../../src/testbed/arms.ts";
import { whyNoNamespaces } from "../../src/testbed/namespaces.ts";
import type { ArmSummary } from "../../src/testbed/summary.ts";
import { scratch } from "../edge/smallSurvey.ts";
import { type TinyModel, tinyModel } from "../library/tinyModel.ts";
import { requireBuild, run } from "./processes.ts";
import { SURVEY, writeSurveyModel } from "./surveyModel.ts";

const slowMs = 180_000;
let folder: Awaited<ReturnType<typeof scratch>>;
let model: TinyModel;
let modelFolder: string;

beforeAll(async () => {
  requireBuild();
  folder = await scratch();
  modelFolder = join(folder.path, "model");
  model = await writeSurveyModel(modelFolder, 1);
});
afterAll(() => folder.dispose());

describe("epic testbed", () => {
  it(
    "sends two records through every arm and says what each cost",
    async () => {
      const out = join(folder.path, "out");
      const args = [
        "--link",
        "wifi",
        "--records",
        "2",
        "--model",
        modelFolder,
        "--module",
        "scalar",
      ];
      const slow = ["--slowdown", "1,1,1,1,3", "--out", out, "--json"];
      const { code, stdout, stderr } = await run(["testbed", ...args, ...slow]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const report = JSON.parse(stdout);
      expect(Object.keys(report.arms)).toEqual([...ARMS]);

      const { slots, channels } = model.config.latent;
      const payload = (arm: string) => report.arms[arm].bytes.payload;
      expect(payload("raw")).toBe(1_400_000);
      expect(payload("split")).toBe(5 * 32 * 16);
      expect(payload("isolated")).toBe(5 * 4900);
      expect(payload("epic")).toBe(5 * slots * channels);
      expect(payload("epic-4bit")).toBe((5 * slots * channels) / 2);
      for (const [name, arm] of Object.entries<ArmSummary>(report.arms)) {
        const { encode, send, wait, decode } = arm.splitMs;
        // Two records: their median is their mean.
        expect(encode + send + wait + decode, name).toBeCloseTo(arm.latencyMs.median, 6);
        // 3 ms of delay; two processes' clocks may differ by a little.
        expect(send, name).toBeGreaterThan(2.5);
        expect(arm.bytes.mqtt, name).toBeGreaterThan(arm.bytes.payload);
        expect(arm.bytes.wire, name).toBeGreaterThan(arm.bytes.mqtt);
      }
      const { raw, epic, split } = report.arms;
      expect([epic.ssim, epic.mae]).toEqual([raw.ssim, raw.mae]);
      expect(split.ssim).toBe(raw.ssim);
      expect(report.arms["epic-packed"].ssim).toBe(report.arms["epic-4bit"].ssim);
      expect(report.lessThanRaw.epic.payload).toBe(1_400_000 / payload("epic"));

      const file = JSON.parse(await readFile(join(out, "testbed.json"), "utf8"));
      expect(file.samples).toHaveLength(2 * ARMS.length);
      const picture = await readFile(join(out, "testbed.png"));
      expect(picture.subarray(1, 4).toString()).toBe("PNG");
    },
    slowMs,
  );

  it(
    "runs over network namespaces, counts what passes, and leaves none behind",
    async ({ skip }) => {
      const reason = await whyNoNamespaces();
      if (reason !== undefined) {
        process.stderr.write(`testbed: namespaces not tested: ${reason}\n`);
        skip(reason);
      }
      const args = [
        "--link",
        "wifi",
        "--records",
        "1",
        "--arms",
        "raw,epic",
        "--model",
        modelFolder,
      ];
      const { code, stdout, stderr } = await run([
        "testbed",
        ...args,
        "--emulation",
        "namespaces",
        "--json",
      ]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const { arms, emulation } = JSON.parse(stdout);
      expect(emulation).toMatch(/^network namespaces, TCP /);
      expect(arms.epic.ssim).toBe(arms.raw.ssim);
      expect(arms.raw.bytes.wire).toBeGreaterThan(1_400_000 * 1.04);
      expect(arms.raw.bytes.wire).toBeLessThan(1_400_000 * 1.5);
      // At least one segment each way per device; on a busy machine TCP joins acknowledgements to data.
      expect(arms.epic.bytes.wire).toBeGreaterThanOrEqual(arms.epic.bytes.mqtt + 5 * 2 * 66);
      expect(arms.epic.splitMs.send).toBeGreaterThan(2.5);
      expect(execFileSync("ip", ["netns", "list"]).toString()).not.toContain("epic-");
    },
    slowMs,
  );

  it.each<[string, string[], string]>([
    ["arm", ["--arms", "epic,carrier-pigeon"], '--arms: expected some of .*, got "carrier-pigeon"'],
    ["arm twice", ["--arms", "epic,epic"], "--arms: expected each arm once"],
    ["slow-down", ["--slowdown", "0.5"], "--slowdown: expected factors 1 to 1000"],
    ["number of slow-downs", ["--slowdown", "1,2"], "--slowdown: expected 1 or 5 factors, got 2"],
  ])("refuses a wrong %s in one line", async (_what, args, message) => {
    const { code, stderr } = await run(["testbed", ...args, "--model", modelFolder]);
    expect(code).toBe(2);
    expect(stderr).toMatch(new RegExp(`^epic: ${message}.*\n$`));
  });

  it("refuses entropy coding with a model that has no tables", async () => {
    const bare = join(folder.path, "bare");
    await writeSurveyModel(bare, 1);
    const { edge, central } = tinyModel(SURVEY, 1, { tables: false });
    await writeFile(join(bare, "edge.safetensors"), edge);
    await writeFile(join(bare, "central.safetensors"), central);
    const { code, stderr } = await run(["testbed", "--arms", "epic-packed", "--model", bare]);
    expect(code).toBe(2);
    expect(stderr).toContain("expected a model with frequency tables for epic-packed");
  });
});
