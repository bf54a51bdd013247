// Takes docs/images/page.png and page-phone.png from the built page, in the system's Chromium:
//   npm run build && node scripts/page-pictures.mjs
// Again whenever the page or the shipped weights change.
import { chromium } from "playwright-core";
import { PageServer } from "../dist/cli/pageServer.js";
import { shippedModelFolder } from "../dist/io/modelFiles.js";

const PICTURES = [
  {
    file: "docs/images/page.png",
    hash: "#family=curvevel-a&seed=7&off=2",
    viewport: { width: 1240, height: 1052 },
    deviceScaleFactor: 1,
  },
  {
    file: "docs/images/page-phone.png",
    hash: "#family=flatfault-a&seed=11&shot=2",
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 1.5,
  },
];

const server = await PageServer.start({
  host: "127.0.0.1",
  port: 0,
  modelFolder: shippedModelFolder,
});
const browser = await chromium.launch({
  executablePath: process.env.EPIC_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
});
for (const { file, hash, ...options } of PICTURES) {
  const context = await browser.newContext({ ...options, reducedMotion: "reduce" });
  const page = await context.newPage();
  await page.goto(`${server.url}${hash}`);
  await page.waitForFunction(
    () =>
      document.querySelector("main").getAttribute("aria-busy") === "false" &&
      /\d/.test(document.querySelector('[data-figure="misfit"]')?.textContent ?? ""),
    undefined,
    { timeout: 120_000 },
  );
  // The film comes from a worker of its own.
  await page.waitForTimeout(3000);
  // Times belong to the machine that took the picture.
  await page.evaluate(() => {
    for (const name of ["encode", "decode", "model"]) {
      document.querySelector(`[data-figure="${name}"]`).closest("div").remove();
    }
  });
  await page.screenshot({ path: file });
  console.log(file);
  await context.close();
}
await browser.close();
await server.close();
