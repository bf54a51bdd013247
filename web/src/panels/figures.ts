/** The figures beside the map, and their short form for narrow screens and screen readers. */
import type { InversionOutput } from "../compute/inversion.ts";
import type { ModelAbout } from "../compute/messages.ts";
import { bytes, milliseconds, times } from "../format.ts";
import { element, make } from "./dom.ts";

export interface FiguresInput {
  readonly output: InversionOutput;
  readonly present: readonly boolean[];
  /** Undefined while it is being computed, or without a map. */
  readonly latentMisfit: number | undefined;
}

export class FiguresPanel {
  readonly #about: ModelAbout;
  readonly #list = element("figures", HTMLDListElement);
  readonly #values = new Map<string, HTMLElement>();

  constructor(about: ModelAbout) {
    this.#about = about;
    const { shots } = about.config.geometry;
    this.#add("ssim", "SSIM", "large");
    this.#add("mae", "Mean error", "large");
    this.#add(
      "misfit",
      "Latent misfit",
      "",
      "Map modelled and encoded again, against what arrived",
    );
    this.#add("sent", "Sent");
    this.#add("encode", "Encode, one device");
    this.#add("decode", "Decode");
    this.#add("model", `Modelling, ${shots} shots`);
    this.#add("module", "Module", "", about.moduleReason.replace(/^\w+: /, ""));
    this.#add("id", "Weights", "", `${about.config.name}, ${bytes(about.weightsBytes)}, int8`);
  }

  show({ output, present, latentMisfit }: FiguresInput): void {
    const { geometry } = this.#about.config;
    const { score, ms } = output;
    const rawBytes = 4 * geometry.shots * geometry.samples * geometry.receivers;
    const sent = output.frameBytes.reduce((sum, count, i) => sum + (present[i] ? count : 0), 0);
    const { edgeModule, centralModule } = this.#about;
    this.#set("ssim", score ? score.ssim.toFixed(3) : "–");
    this.#set("mae", score ? `${score.maeMps.toFixed(0)} m/s` : "–");
    this.#set("misfit", latentMisfit === undefined ? (score ? "…" : "–") : latentMisfit.toFixed(3));
    this.#set("sent", sent > 0 ? `${bytes(sent)} for ${bytes(rawBytes)}` : "nothing");
    this.#set("encode", milliseconds(ms.encode));
    this.#set("decode", score ? milliseconds(ms.decode) : "–");
    this.#set("model", milliseconds(ms.model));
    this.#set(
      "module",
      edgeModule === centralModule ? edgeModule : `${edgeModule}, ${centralModule}`,
    );
    this.#set("id", this.#about.modelId.slice(0, 8));
    this.#showStrip(sent, rawBytes, output);
  }

  /** For screen readers, once the figures have settled. */
  announce({ output, present }: FiguresInput): void {
    const count = present.filter(Boolean).length;
    const { score } = output;
    element("announcement", HTMLParagraphElement).textContent = score
      ? `Map from ${count} of ${present.length} devices: SSIM ${score.ssim.toFixed(2)}, ` +
        `mean error ${score.maeMps.toFixed(0)} metres per second.`
      : "No device is on: no map.";
  }

  #showStrip(sent: number, rawBytes: number, { score }: InversionOutput): void {
    element("strip", HTMLDivElement).replaceChildren(
      make("span", "", make("b", "", score ? score.ssim.toFixed(3) : "–"), " SSIM"),
      make("span", "", make("b", "", score ? `${score.maeMps.toFixed(0)} m/s` : "–"), " MAE"),
      make(
        "span",
        "",
        make("b", "", bytes(sent)),
        sent > 0 ? ` ${times(rawBytes / sent)} less` : "",
      ),
    );
  }

  #add(key: string, name: string, kind = "", hint = ""): void {
    const value = make("dd", "", "…");
    value.dataset.figure = key;
    this.#values.set(key, value);
    const hints = hint === "" ? [] : [make("dd", "hint", hint)];
    this.#list.append(make("div", kind, make("dt", "", name), value, ...hints));
  }

  #set(key: string, text: string): void {
    this.#values.get(key)!.textContent = text;
  }
}
