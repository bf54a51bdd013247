/** The system's Chromium, driven by playwright-core. */
import { existsSync } from "node:fs";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const candidates = [
  process.env.EPIC_CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];

/** Path of the browser, or undefined where this machine has none. */
export const chromiumPath = candidates.find((path) => path !== undefined && existsSync(path));

/** Chromium asks its maker for updates and the like unless told otherwise. */
const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function launch(...args: string[]): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath!, args: [...QUIET, ...args] });
}

/** The page, opened, and what it must never do. */
export interface Opened {
  readonly page: Page;
  /** Errors and warnings on the console, uncaught errors, and requests to anyone but the server. */
  readonly complaints: string[];
  close(): Promise<void>;
}

export async function open(
  browser: Browser,
  url: string,
  hash = "",
  options: BrowserContextOptions = {},
): Promise<Opened> {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    reducedMotion: "reduce",
    colorScheme: "light",
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(`uncaught: ${error.message}`));
  context.on("request", (request) => {
    const address = request.url();
    if (!address.startsWith(url) && !address.startsWith(`blob:${url}`)) complaints.push(address);
  });
  await page.goto(`${url}${hash}`);
  return { page, complaints, close: () => context.close() };
}

/** Waits until nothing is being computed, the misfit included. */
export async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const misfit = document.querySelector('[data-figure="misfit"]')?.textContent ?? "…";
    const busy = document.querySelector("main")?.getAttribute("aria-busy");
    return busy === "false" && misfit !== "…";
  });
}

/** A figure as it stands on the page. */
export function figure(page: Page, name: string): Promise<string> {
  return page.locator(`[data-figure="${name}"]`).innerText();
}

/** The file that a button saves. */
export async function saved(page: Page, button: string): Promise<Buffer> {
  const download = page.waitForEvent("download");
  await page.locator(`#${button}`).click();
  const chunks: Buffer[] = [];
  for await (const chunk of await (await download).createReadStream()) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** What a canvas shows, as one text to compare. */
export function pixels(page: Page, id: string): Promise<string> {
  return page.evaluate(
    (name) =>
      // Twice a frame: what was asked for is drawn at the next one.
      new Promise<string>((resolve) => {
        requestAnimationFrame(() =>
          requestAnimationFrame(() => {
            resolve((document.getElementById(name) as HTMLCanvasElement).toDataURL());
          }),
        );
      }),
    id,
  );
}
