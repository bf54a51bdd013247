/** The clock of the wavefield: play, pause, scrub; everything that shows time listens to it. */
import { button, input, readout } from "./dom.ts";

/** Seconds on the wall for a second in the ground. */
const SLOWDOWN = 7;
/** Rest at the end before the wave starts again, s of the ground's time. */
const REST_S = 0.08;

export class Playback {
  readonly #play = button("play");
  readonly #slider = input("time");
  readonly #output = readout("time-out");
  readonly #durationS: number;
  readonly #listeners: ((timeS: number) => void)[] = [];
  #timeS: number;
  #playing = false;
  #lastFrame = 0;

  /** Does not start by itself for those who ask for less motion. */
  constructor(durationS: number) {
    this.#durationS = durationS;
    this.#slider.max = String(Math.round(durationS * 1000));
    this.#timeS = 0.3 * durationS;
    this.#play.addEventListener("click", () => this.#toggle());
    this.#slider.addEventListener("input", () => {
      this.#stop();
      this.#moveTo(Number(this.#slider.value) / 1000);
    });
    this.#moveTo(this.#timeS);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (!calm) this.#toggle();
  }

  get timeS(): number {
    return this.#timeS;
  }

  onTime(listener: (timeS: number) => void): void {
    this.#listeners.push(listener);
  }

  #toggle(): void {
    if (this.#playing) {
      this.#stop();
      return;
    }
    this.#playing = true;
    if (this.#timeS >= this.#durationS) this.#timeS = 0;
    this.#describe();
    this.#lastFrame = performance.now();
    requestAnimationFrame((now) => this.#tick(now));
  }

  #stop(): void {
    this.#playing = false;
    this.#describe();
  }

  #describe(): void {
    this.#play.setAttribute("aria-label", this.#playing ? "Pause the wave" : "Play the wave");
    this.#play.classList.toggle("playing", this.#playing);
  }

  #tick(now: number): void {
    if (!this.#playing) return;
    // A page that was hidden goes on where it was.
    const elapsedS = Math.min(0.1, Math.max(0, now - this.#lastFrame) / 1000);
    this.#lastFrame = now;
    const next = this.#timeS + elapsedS / SLOWDOWN;
    this.#moveTo(next > this.#durationS + REST_S ? 0 : next);
    requestAnimationFrame((later) => this.#tick(later));
  }

  #moveTo(timeS: number): void {
    this.#timeS = timeS;
    const shown = Math.min(timeS, this.#durationS);
    this.#slider.value = String(Math.round(shown * 1000));
    this.#slider.setAttribute("aria-valuetext", `${shown.toFixed(3)} seconds`);
    this.#output.textContent = `${shown.toFixed(3)} s`;
    for (const listener of this.#listeners) listener(shown);
  }
}
