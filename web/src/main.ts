/** Starts the two workers and, once the model is loaded, the page. */
import type { FilmReply, InversionReply, InversionRequest } from "./compute/messages.ts";
import { Page } from "./page.ts";
import { element } from "./panels/dom.ts";
import { startThemeSwitch } from "./panels/themeSwitch.ts";

startThemeSwitch();

const inversion = new Worker(new URL("./compute/inversion.worker.ts", import.meta.url), {
  type: "module",
});
const film = new Worker(new URL("./compute/film.worker.ts", import.meta.url), { type: "module" });
let page: Page | undefined;

inversion.addEventListener("error", () => fail("The page's inversion worker could not start."));
film.addEventListener("error", () => fail("The page's wavefield worker could not start."));
inversion.addEventListener("message", ({ data }: MessageEvent<InversionReply>) => {
  if (page !== undefined) page.inverted(data);
  else if (data.kind === "failed") fail(data.message);
  else if (data.kind === "loaded") {
    page = new Page(data.about, { invert, film: (request) => film.postMessage(request), fail });
  }
});
film.addEventListener("message", ({ data }: MessageEvent<FilmReply>) => page?.filmed(data));
ask({ kind: "load", modelUrl: new URL("model/", document.baseURI).href });

function invert(input: Extract<InversionRequest, { kind: "run" }>["input"]): void {
  ask({ kind: "run", input });
}

function ask(request: InversionRequest): void {
  inversion.postMessage(request);
}

function fail(message: string): void {
  const line = element("failure", HTMLParagraphElement);
  line.textContent = message;
  line.hidden = false;
  element("main", HTMLElement).setAttribute("aria-busy", "false");
}
