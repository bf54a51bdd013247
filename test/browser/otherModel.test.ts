/** The page with a model of another survey: nothing in it knows epic-base's sizes. */
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PageServer } from "../../src/cli/pageServer.ts";
import { loadModel } from "../../src/io/modelFiles.ts";
import { readNpy } from "../../src/io/npy.ts";
import { velocityMap } from "../../src/physics/index.ts";
import { Encoding } from "../../src/protocol/index.ts";
import { Inversion } from "../../web/src/compute/inversion.ts";
import { chromiumPath, launch, open, saved, settled } from "./chromium.ts";

const pageFolder = fileURLToPath(new URL("../../dist/web", import.meta.url));
const modelFolder = fileURLToPath(new URL("../../weights/epic-line48", import.meta.url));

describe.skipIf(chromiumPath === undefined)("the page of epic-line48", () => {
  let server: PageServer;
  let browser: Browser;

  beforeAll(async () => {
    server = await PageServer.start({ host: "127.0.0.1", port: 0, modelFolder, pageFolder });
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  it("finds the map's bits, with all of its four devices and without one", async () => {
    const node = await Inversion.load(await loadModel(modelFolder));
    const { map: grid, devices } = node.config.geometry;
    const truth = velocityMap("curvevel-a", 7, 0, grid);
    for (const off of [undefined, 1]) {
      const hash = `#family=curvevel-a&seed=7&shot=2${off === undefined ? "" : `&off=${off + 1}`}`;
      const { page, complaints, close } = await open(browser, server.url, hash);
      await settled(page);
      const { shape, data } = await readNpy(await saved(page, "save-map"));
      const present = devices.map((_, device) => device !== off);
      const input = { truth, noise: 0, encoding: Encoding.int8, present };
      expect(shape).toEqual([...grid]);
      expect(Buffer.from(data.buffer)).toEqual(Buffer.from(node.run(input).map!.slice().buffer));
      expect(await page.locator("#devices > li").count()).toBe(devices.length);
      if (process.env.EPIC_PICTURES) {
        await page.screenshot({ path: `${process.env.EPIC_PICTURES}/line48.png`, fullPage: true });
      }
      expect(complaints).toEqual([]);
      await close();
    }
  });
});
