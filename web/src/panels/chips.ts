/** The devices' switches once more, small, beside the map that they change. */
import { deviceColour } from "../plots/theme.ts";
import { element, make } from "./dom.ts";

export class Chips {
  readonly #buttons: readonly HTMLButtonElement[];

  constructor(devices: number, onSwitch: (device: number, on: boolean) => void) {
    this.#buttons = Array.from({ length: devices }, (_, device) => {
      const chip = make("button", "chip", String(device + 1));
      chip.type = "button";
      chip.setAttribute("aria-label", `Device ${device + 1}`);
      chip.style.setProperty("--device", deviceColour(device));
      chip.addEventListener("click", () => {
        onSwitch(device, chip.getAttribute("aria-pressed") !== "true");
      });
      return chip;
    });
    element("chips", HTMLFieldSetElement).append(
      make("span", "", "from devices"),
      ...this.#buttons,
    );
  }

  setPresent(present: readonly boolean[]): void {
    this.#buttons.forEach((chip, device) => {
      chip.setAttribute("aria-pressed", String(present[device]));
    });
  }
}
