/** Family, seed, shot, noise, encoding and link: the controls that need no picture of their own. */
import type { Geometry } from "../../../src/model/config.ts";
import { FAMILIES, type FamilyName } from "../../../src/physics/index.ts";
import { Encoding } from "../../../src/protocol/index.ts";
import { familyLabel } from "../format.ts";
import { LINKS } from "../links.ts";
import { NOISE_PERCENT_MAX, SEED_MAX, type Settings } from "../settings.ts";
import { button, choose, element, input, readout, segment, select } from "./dom.ts";

export class Controls {
  readonly #family = select("family");
  readonly #seed = input("seed");
  readonly #shots = element("shots", HTMLDivElement);
  readonly #noise = input("noise");
  readonly #bits = element("bits", HTMLDivElement);
  readonly #link = select("link");
  readonly #change: (change: Partial<Settings>) => void;

  constructor(geometry: Geometry, change: (change: Partial<Settings>) => void) {
    this.#change = change;
    for (const name of FAMILIES) this.#family.add(new Option(familyLabel(name), name));
    for (const { name, label } of LINKS) this.#link.add(new Option(label, name));
    for (let shot = 1; shot <= geometry.shots; shot++) {
      this.#shots.append(segment("shot", String(shot), String(shot), `Shot ${shot}`));
    }
    this.#noise.max = String(NOISE_PERCENT_MAX);
    this.#listen();
  }

  show(settings: Settings): void {
    this.#family.value = settings.family;
    // Not while it is being typed into: "12" would lose its caret.
    if (Number(this.#seed.value) !== settings.seed || this.#seed.value === "") {
      this.#seed.value = String(settings.seed);
    }
    choose(this.#shots, String(settings.shot + 1));
    choose(this.#bits, settings.encoding === Encoding.nibble ? "4" : "8");
    this.#noise.value = String(settings.noisePercent);
    const noise = describeNoise(settings.noisePercent);
    readout("noise-out").textContent = noise;
    this.#noise.setAttribute("aria-valuetext", noise);
    this.#link.value = settings.link.name;
  }

  #listen(): void {
    this.#family.addEventListener("change", () =>
      this.#change({ family: this.#family.value as FamilyName }),
    );
    this.#seed.addEventListener("input", () => this.#seedTyped(0));
    this.#seed.addEventListener("blur", () => {
      if (this.#seed.value === "" || !this.#seed.checkValidity()) this.#seedTyped(0, true);
    });
    button("seed-down").addEventListener("click", () => this.#seedTyped(-1));
    button("seed-up").addEventListener("click", () => this.#seedTyped(1));
    this.#shots.addEventListener("change", () =>
      this.#change({ shot: Number(chosen(this.#shots)) - 1 }),
    );
    this.#noise.addEventListener("input", () =>
      this.#change({ noisePercent: Number(this.#noise.value) }),
    );
    this.#bits.addEventListener("change", () =>
      this.#change({ encoding: chosen(this.#bits) === "4" ? Encoding.nibble : Encoding.int8 }),
    );
    this.#link.addEventListener("change", () => {
      const link = LINKS.find(({ name }) => name === this.#link.value);
      if (link !== undefined) this.#change({ link });
    });
  }

  /** Half-typed and impossible seeds change nothing until the field is left, which repairs them. */
  #seedTyped(step: number, repair = false): void {
    const typed = Number(this.#seed.value);
    const whole = this.#seed.value !== "" && Number.isInteger(typed);
    const inside = whole && typed >= 0 && typed <= SEED_MAX;
    if (!inside && !repair) return;
    const seed = inside ? typed + step : 0;
    if (seed < 0 || seed > SEED_MAX) return;
    this.#seed.value = String(seed);
    this.#change({ seed });
  }
}

/** Share of the record's RMS amplitude, and the same as a signal-to-noise ratio. */
function describeNoise(percent: number): string {
  if (percent === 0) return "none";
  return `${percent} % of RMS, ${(-20 * Math.log10(percent / 100)).toFixed(0)} dB`;
}

function chosen(group: HTMLElement): string {
  return group.querySelector<HTMLInputElement>("input:checked")?.value ?? "";
}
