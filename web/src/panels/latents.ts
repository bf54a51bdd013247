/** The devices: a switch each, and the latent that each sends as the central node receives it. */
import { divergingScale } from "../../../src/io/plots/colours.ts";
import type { ModelConfig } from "../../../src/model/config.ts";
import type { SurveyGeometry } from "../../../src/physics/index.ts";
import { bytes } from "../format.ts";
import { ColourBar } from "../plots/colourBar.ts";
import { imageLayer, Plot } from "../plots/plot.ts";
import { Raster } from "../plots/raster.ts";
import { deviceColour } from "../plots/theme.ts";
import { canvas, element, make } from "./dom.ts";

const CODE_MAX = 127;

interface Row {
  readonly item: HTMLElement;
  readonly toggle: HTMLInputElement;
  readonly cost: HTMLElement;
  readonly raster: Raster;
  readonly plot: Plot;
}

export class LatentsPanel {
  readonly #rows: readonly Row[];
  readonly #scale = divergingScale(CODE_MAX);
  readonly #latentLength: number;

  constructor(
    config: ModelConfig,
    survey: SurveyGeometry,
    onSwitch: (device: number, on: boolean) => void,
  ) {
    const { geometry, latent } = config;
    this.#latentLength = latent.slots * latent.channels;
    this.#rows = geometry.devices.map((_, device) =>
      this.#makeRow(config, survey, device, onSwitch),
    );
    new ColourBar(canvas("latent-bar"), { scale: this.#scale, label: "code", ticks: 5 });
  }

  /** latents [devices][slots][channels] */
  setLatents(latents: Int8Array, frameBytes: readonly number[]): void {
    this.#rows.forEach(({ raster, plot, cost }, device) => {
      const first = device * this.#latentLength;
      raster.paint(latents.subarray(first, first + this.#latentLength), this.#scale);
      plot.redraw();
      cost.dataset.sent = bytes(frameBytes[device]!);
    });
    this.#describe();
  }

  setPresent(present: readonly boolean[]): void {
    this.#rows.forEach(({ item, toggle }, device) => {
      toggle.checked = present[device]!;
      item.classList.toggle("off", !present[device]);
    });
    this.#describe();
  }

  #describe(): void {
    for (const { toggle, cost } of this.#rows) {
      cost.textContent = toggle.checked ? (cost.dataset.sent ?? "…") : "off";
    }
  }

  #makeRow(
    { geometry, latent }: ModelConfig,
    survey: SurveyGeometry,
    device: number,
    onSwitch: (device: number, on: boolean) => void,
  ): Row {
    const { firstReceiver, receivers } = geometry.devices[device]!;
    const from = survey.receivers[firstReceiver]!.column * geometry.dxM;
    const to = survey.receivers[firstReceiver + receivers - 1]!.column * geometry.dxM;
    const toggle = make("input", "switch");
    toggle.type = "checkbox";
    toggle.id = `device-${device + 1}`;
    toggle.setAttribute("role", "switch");
    toggle.addEventListener("change", () => onSwitch(device, toggle.checked));
    toggle.style.setProperty("--device", deviceColour(device));
    const cost = make("span", "cost", "…");
    const label = make(
      "label",
      "device",
      toggle,
      make("span", "name", `Device ${device + 1}`),
      make("span", "cost", `${from} to ${to} m`),
      cost,
    );
    const picture = make("canvas", "");
    picture.setAttribute("role", "img");
    picture.setAttribute(
      "aria-label",
      `Latent of device ${device + 1}: ${latent.slots} slots of time by ${latent.channels} channels`,
    );
    const item = make("li", "", label, make("div", "latent", picture));
    element("devices", HTMLUListElement).append(item);
    const last = device === geometry.devices.length - 1;
    const seconds = (geometry.samples * geometry.dtMs) / 1000;
    const raster = new Raster(latent.slots, latent.channels);
    const plot = new Plot(picture, {
      x: { label: "channel", low: 0, high: latent.channels, ticks: 4 },
      y: { label: "", low: 0, high: seconds, ticks: 1, unit: " s" },
      aspect: 0.21,
      top: 4,
      left: 30,
      bareX: !last,
      tightY: true,
    });
    plot.show([imageLayer(raster.canvas)]);
    return { item, toggle, cost, raster, plot };
  }
}
