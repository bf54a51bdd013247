/** The page in a real browser: what it computes, what its controls change, who can use it. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { PageServer } from "../../src/cli/pageServer.ts";
import { loadModel, shippedModelFolder } from "../../src/io/modelFiles.ts";
import { readNpy } from "../../src/io/npy.ts";
import { velocityMap } from "../../src/physics/index.ts";
import { Encoding } from "../../src/protocol/index.ts";
import { Inversion, type InversionInput } from "../../web/src/compute/inversion.ts";
import {
  chromiumPath,
  figure,
  launch,
  type Opened,
  open,
  pixels,
  saved,
  settled,
} from "./chromium.ts";

const main = new URL("../../dist/cli/main.js", import.meta.url).pathname;
const all = [true, true, true, true, true];
const truth = velocityMap("flatfault-a", 11, 0);
const plain: InversionInput = { truth, noise: 0, encoding: Encoding.int8, present: all };
const START = "#family=flatfault-a&seed=11";
/** An address of this machine that browsers do not hold for secure. */
const outside = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.family === "IPv4" && !one.internal)?.address;

if (chromiumPath === undefined) {
  console.log(
    "test/browser: skipped: no Chromium here (apt-get install chromium, or EPIC_CHROMIUM=path)",
  );
}

describe.skipIf(chromiumPath === undefined)("the page", () => {
  let server: ChildProcess;
  let url: string;
  let browser: Browser;
  let node: Inversion;
  let opened: Opened;
  let page: Page;

  beforeAll(async () => {
    server = spawn(process.execPath, [main, "web", "--port", "0", "--json"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    url = JSON.parse(await firstDocument(server)).url;
    browser = await launch();
    node = await Inversion.load(await loadModel());
  });
  afterAll(async () => {
    await browser?.close();
    server?.kill("SIGTERM");
  });
  beforeEach(async () => {
    opened = await open(browser, url, START);
    page = opened.page;
    await settled(page);
  });
  afterEach(async () => {
    const { complaints } = opened;
    await opened.close();
    // Of every test: nothing on the console, nobody else asked for anything.
    expect(complaints).toEqual([]);
  });

  /** The page's map, and the one that this process makes of the same input. */
  async function expectMapOf(input: InversionInput): Promise<void> {
    const { shape, data } = await readNpy(await saved(page, "save-map"));
    const expected = node.run(input).map!;
    expect(shape).toEqual([...node.config.geometry.map]);
    expect(bits(data)).toBe(bits(expected));
  }

  describe("computes", () => {
    it("the map's bits as Node does", async () => {
      expect(bits((await readNpy(await saved(page, "save-truth"))).data)).toBe(bits(truth));
      await expectMapOf(plain);
      const { score, frameBytes } = node.run(plain);
      expect(await figure(page, "ssim")).toBe(score!.ssim.toFixed(3));
      expect(await figure(page, "mae")).toBe(`${score!.maeMps.toFixed(0)} m/s`);
      const sent = frameBytes.reduce((sum, count) => sum + count, 0);
      expect(await figure(page, "sent")).toContain(`${sent.toLocaleString("en")} B`);
      const misfit = node.latentMisfit(node.run(plain).map!, all);
      expect(await figure(page, "misfit")).toBe(misfit.toFixed(3));
    });

    it("without special headers, and says with which module", async () => {
      expect(await page.evaluate(() => crossOriginIsolated)).toBe(false);
      expect(["simd", "relaxed"]).toContain(await figure(page, "module"));
      for (const name of ["encode", "decode", "model"]) {
        expect(await figure(page, name)).toMatch(/^\d+(\.\d+)? ms$/);
      }
    });
  });

  describe("changes with", () => {
    it("the family and the seed", async () => {
      await page.locator("#family").selectOption("style-b");
      await settled(page);
      await expectMapOf({ ...plain, truth: velocityMap("style-b", 11, 0) });
      await page.locator("#seed-up").click();
      await settled(page);
      await expectMapOf({ ...plain, truth: velocityMap("style-b", 12, 0) });
      await page.locator("#seed").fill("4000000000");
      await settled(page);
      await expectMapOf({ ...plain, truth: velocityMap("style-b", 4_000_000_000, 0) });
      expect(new URL(page.url()).hash).toBe("#family=style-b&seed=4000000000");
      // What is no seed changes nothing, and is mended when the field is left.
      await page.locator("#seed").fill("");
      await page.locator("#seed").blur();
      expect(await page.locator("#seed").inputValue()).toBe("0");
    });

    it("devices, by either switch", async () => {
      const record = await pixels(page, "record");
      await page.getByRole("switch", { name: "Device 2" }).click();
      await page.getByRole("button", { name: "Device 5" }).click();
      await settled(page);
      await expectMapOf({ ...plain, present: [true, false, true, true, false] });
      expect(new URL(page.url()).hash).toBe(`${START}&off=2,5`);
      const frame = node.run(plain).frameBytes[0]!;
      expect(await figure(page, "sent")).toContain(`${(3 * frame).toLocaleString("en")} B`);
      expect(await pixels(page, "record")).not.toBe(record);
      await page.getByRole("switch", { name: "Device 5" }).click();
      await page.getByRole("button", { name: "Device 2" }).click();
      await settled(page);
      await expectMapOf(plain);
      expect(await pixels(page, "record")).toBe(record);
    });

    it("no device at all: there is no map, and it says so", async () => {
      for (let device = 1; device <= all.length; device++) {
        await page.getByRole("switch", { name: `Device ${device}` }).click();
      }
      await settled(page);
      expect(await page.locator("#nothing").isVisible()).toBe(true);
      expect(await page.locator("#save-map").isDisabled()).toBe(true);
      expect(await figure(page, "ssim")).toBe("–");
      expect(await figure(page, "sent")).toBe("nothing");
      await page.getByRole("switch", { name: "Device 3" }).click();
      await settled(page);
      expect(await page.locator("#nothing").isVisible()).toBe(false);
      await expectMapOf({ ...plain, present: [false, false, true, false, false] });
    });

    it("noise", async () => {
      const record = await pixels(page, "record");
      await page.locator("#noise").fill("10");
      await settled(page);
      await expectMapOf({ ...plain, noise: 0.1 });
      expect(await page.locator("#noise-out").innerText()).toBe("10 % of RMS, 20 dB");
      expect(await pixels(page, "record")).not.toBe(record);
    });

    it("bits per latent value", async () => {
      await page.getByRole("radio", { name: "4 bit" }).check();
      await settled(page);
      const input = { ...plain, encoding: Encoding.nibble };
      await expectMapOf(input);
      const frame = node.run(input).frameBytes[0]!;
      expect(await page.locator("#devices li").first().innerText()).toContain(`${frame} B`);
    });

    it("the link, and then nothing but seconds", async () => {
      const map = await pixels(page, "prediction");
      const before = await page.locator("#transfer").innerText();
      await page.locator("#link").selectOption("nbiot");
      await settled(page);
      const after = await page.locator("#transfer").innerText();
      expect(after).not.toBe(before);
      expect(after).toContain("60 kbit/s");
      expect(await pixels(page, "prediction")).toBe(map);
    });

    it("the shot: another record, the same map", async () => {
      const [record, ground, map] = await Promise.all(
        ["record", "ground", "prediction"].map((id) => pixels(page, id)),
      );
      await page.getByRole("radio", { name: "Shot 5" }).check();
      await settled(page);
      expect(await pixels(page, "record")).not.toBe(record);
      await expect.poll(() => pixels(page, "ground"), { timeout: 60_000 }).not.toBe(ground);
      expect(await pixels(page, "prediction")).toBe(map);
      await expectMapOf(plain);
    });

    it("paint, by pointer", async () => {
      await page.getByRole("button", { name: "Paint" }).click();
      await page.locator("#brush-velocity").fill("4500");
      await page.locator("#brush-radius").fill("3");
      const box = (await page.locator("#ground").boundingBox())!;
      const middle = { x: box.x + 46 + (box.width - 56) / 2, y: box.y + box.height / 2 };
      await page.mouse.move(middle.x, middle.y);
      await page.mouse.down();
      await page.mouse.move(middle.x + 30, middle.y, { steps: 5 });
      await page.mouse.up();
      await settled(page);
      const painted = (await readNpy(await saved(page, "save-truth"))).data;
      const changed = painted.filter((velocity, i) => velocity !== truth[i]);
      expect(changed.length).toBeGreaterThan(30);
      expect(changed.every((velocity) => velocity === 4500)).toBe(true);
      await expectMapOf({ ...plain, truth: painted });
      await page.getByRole("button", { name: "Undo all" }).click();
      await settled(page);
      await expectMapOf(plain);
    });

    it("paint, by keyboard", async () => {
      await page.getByRole("button", { name: "Paint" }).focus();
      await page.keyboard.press("Enter");
      await page.locator("#brush-velocity").fill("1500");
      await page.locator("#brush-radius").fill("1");
      await page.locator("#ground").focus();
      const [rows, columns] = node.config.geometry.map;
      for (const key of ["Shift+ArrowDown", "ArrowLeft", "Space"]) await page.keyboard.press(key);
      await settled(page);
      const expected = truth.slice();
      const [row, column] = [(rows >> 1) + 5, (columns >> 1) - 1];
      for (const [down, right] of [
        [0, 0],
        [1, 0],
        [-1, 0],
        [0, 1],
        [0, -1],
      ] as const) {
        expected[(row + down) * columns + column + right] = 1500;
      }
      const painted = (await readNpy(await saved(page, "save-truth"))).data;
      expect(bits(painted)).toBe(bits(expected));
      await expectMapOf({ ...plain, truth: expected });
    });

    it("time: wave, clock and the record's cursor", async () => {
      const show = async (ms: string) => {
        await page.locator("#time").fill(ms);
        return [await pixels(page, "ground"), await pixels(page, "record")] as const;
      };
      // The film may still be on its way.
      await expect
        .poll(async () => (await show("150"))[0] !== (await show("400"))[0], {
          timeout: 60_000,
        })
        .toBe(true);
      const early = await show("150");
      const late = await show("400");
      expect(late[1]).not.toBe(early[1]);
      expect(await page.locator("#time-out").innerText()).toBe("0.400 s");
      expect(await show("150")).toEqual(early);
    });

    it("the address", async () => {
      await page.evaluate(() => {
        location.hash = "#family=curvevel-b&seed=2&off=1&bits=4";
      });
      await settled(page);
      await expectMapOf({
        ...plain,
        truth: velocityMap("curvevel-b", 2, 0),
        encoding: Encoding.nibble,
        present: [false, true, true, true, true],
      });
      expect(await page.locator("#family").inputValue()).toBe("curvevel-b");
    });

    it("light and dark", async () => {
      const paper = () =>
        page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
      const light = await paper();
      const bar = await pixels(page, "truth");
      await page.locator("#theme").click();
      expect(await paper()).not.toBe(light);
      expect(await pixels(page, "truth")).not.toBe(bar);
      await page.locator("#theme").click();
      expect(await paper()).toBe(light);
    });
  });

  describe("is there for everybody", () => {
    it("plays when asked, and not before, for those who want less motion", async () => {
      const clock = page.locator("#time-out");
      const still = await clock.innerText();
      await page.waitForTimeout(500);
      expect(await clock.innerText()).toBe(still);
      await page.getByRole("button", { name: "Play the wave" }).click();
      await expect.poll(() => clock.innerText(), { timeout: 60_000 }).not.toBe(still);
      await page.getByRole("button", { name: "Pause the wave" }).click();
      const paused = await clock.innerText();
      await page.waitForTimeout(500);
      expect(await clock.innerText()).toBe(paused);
    });

    it("plays by itself for everyone else", async () => {
      const moving = await open(browser, url, START, { reducedMotion: "no-preference" });
      await settled(moving.page);
      const clock = moving.page.locator("#time-out");
      const first = await clock.innerText();
      await expect.poll(() => clock.innerText(), { timeout: 60_000 }).not.toBe(first);
      expect(moving.complaints).toEqual([]);
      await moving.close();
    });

    it.each([320, 360, 390, 768, 1024])("fits a screen %i px wide", async (width) => {
      await page.setViewportSize({ width, height: 800 });
      await settled(page);
      const [needed, there] = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        return [scrollWidth, clientWidth];
      });
      expect(needed).toBeLessThanOrEqual(there!);
      // No control sticks out either.
      const outside = await page.evaluate(() =>
        [...document.querySelectorAll("button, select, input, canvas")]
          .filter((item) => item.getBoundingClientRect().right > innerWidth + 0.5)
          .map((item) => item.id),
      );
      expect(outside).toEqual([]);
    });

    it.each(["light", "dark"] as const)("passes axe's rules, %s", async (colorScheme) => {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.getByRole("button", { name: "Paint" }).click();
      await page.evaluate(
        await readFile(createRequire(import.meta.url).resolve("axe-core"), "utf8"),
      );
      const violations = await page.evaluate(async () => {
        const { axe } = window as unknown as {
          axe: { run(): Promise<{ violations: Violation[] }> };
        };
        return (await axe.run()).violations.map(
          ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`,
        );
      });
      expect(violations).toEqual([]);
    });

    it("is reached by the Tab key, control by control", async () => {
      await page.locator("body").focus();
      const reached: string[] = [];
      for (let i = 0; i < 45; i++) {
        await page.keyboard.press("Tab");
        reached.push(
          await page.evaluate(() => {
            const at = document.activeElement as HTMLInputElement;
            return at.id || at.name || at.getAttribute("aria-label") || "";
          }),
        );
      }
      expect(reached).toEqual(
        expect.arrayContaining([
          ...["family", "seed", "paint", "play", "time", "shot", "noise", "bits", "link"],
          ...["device-1", "device-5", "Device 1", "Device 5", "save-truth", "save-map"],
        ]),
      );
    });

    it("speaks the result", async () => {
      const status = page.locator("#announcement[role=status]");
      await expect.poll(() => status.innerText(), { timeout: 60_000 }).toContain("5 of 5 devices");
      await page.getByRole("switch", { name: "Device 1" }).press("Space");
      await expect.poll(() => status.innerText(), { timeout: 60_000 }).toContain("4 of 5 devices");
    });
  });
});

describe.skipIf(chromiumPath === undefined)("the page on other terms", () => {
  const pageFolder = new URL("../../dist/web", import.meta.url).pathname;
  const modelFolder = new URL("../../weights/epic-base", import.meta.url).pathname;

  it("takes plain simd where the engine refuses the relaxed modules, to the same bits", async () => {
    const folder = await mkdtemp(join(tmpdir(), "epic-page-"));
    await cp(pageFolder, folder, { recursive: true });
    const assets = join(folder, "assets");
    const relaxed = (await readdir(assets)).filter((name) => name.includes(".relaxed-"));
    expect(relaxed.length).toBe(2);
    for (const name of relaxed) {
      // A magic number and nothing after it: what validates in no engine.
      const code = await readFile(join(assets, name), "utf8");
      await writeFile(join(assets, name), code.replace(/[A-Za-z0-9+/=]{1000,}/, "AGFzbQ=="));
    }
    const server = await PageServer.start({
      host: "127.0.0.1",
      port: 0,
      modelFolder,
      pageFolder: folder,
    });
    const browser = await launch();
    try {
      const { page, complaints } = await open(browser, server.url, START);
      await settled(page);
      const { data } = await readNpy(await saved(page, "save-map"));
      const node = await Inversion.load(await loadModel());
      expect(bits(data)).toBe(bits(node.run(plain).map!));
      expect(await figure(page, "module")).toBe("simd");
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
      await server.close();
      await rm(folder, { recursive: true });
    }
  });

  it.skipIf(outside === undefined)("runs for another machine, over plain HTTP", async () => {
    const server = await PageServer.start({
      host: "0.0.0.0",
      port: 0,
      modelFolder: shippedModelFolder,
      pageFolder,
    });
    const browser = await launch();
    try {
      const opened = await open(browser, `http://${outside}:${server.port}/`, START);
      await settled(opened.page);
      expect(await opened.page.evaluate(() => isSecureContext)).toBe(false);
      const { data } = await readNpy(await saved(opened.page, "save-map"));
      const node = await Inversion.load(await loadModel());
      expect(bits(data)).toBe(bits(node.run(plain).map!));
      expect(opened.complaints).toEqual([]);
    } finally {
      await browser.close();
      await server.close();
    }
  });

  it("says in one line that its model is missing", async () => {
    const server = await PageServer.start({
      host: "127.0.0.1",
      port: 0,
      modelFolder: "/nowhere",
      pageFolder,
    });
    const browser = await launch();
    try {
      const { page } = await open(browser, server.url);
      const alert = page.getByRole("alert");
      await alert.waitFor({ state: "visible" });
      expect(await alert.innerText()).toMatch(/^model: expected http.*, got HTTP status 404$/);
    } finally {
      await browser.close();
      await server.close();
    }
  });
});

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** A digest: comparing long arrays value by value is slow. */
function bits(values: Float32Array): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return createHash("sha256").update(bytes).digest("hex");
}

/** What a command that goes on running prints first. */
function firstDocument({ stdout }: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    stdout!.on("data", (chunk) => {
      text += chunk;
      if (text.trimEnd().endsWith("}")) resolve(text);
    });
    stdout!.on("end", () => reject(new Error(`expected an address, got ${JSON.stringify(text)}`)));
  });
}
