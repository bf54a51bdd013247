/** The brush: pointer or keyboard on the ground's picture. */
import type { Geometry } from "../../../src/model/config.ts";
import type { Cell } from "../paintDisc.ts";
import type { Layer, Plot } from "../plots/plot.ts";
import { button, element, input, readout } from "./dom.ts";

export interface PaintEvents {
  /** Disc of `radius` cells round a cell takes the velocity, m/s. */
  readonly stroke: (cell: Cell, radius: number, velocityMps: number) => void;
  readonly reset: () => void;
  /** Painting has been switched on or off. */
  readonly active: (on: boolean) => void;
}

export class Brush {
  readonly #toggle = button("paint");
  readonly #tools = element("paint-tools", HTMLDivElement);
  readonly #velocity = input("brush-velocity");
  readonly #radius = input("brush-radius");
  readonly #rows: number;
  readonly #columns: number;
  readonly #cellM: number;
  readonly #events: PaintEvents;
  #plot: Plot | undefined;
  #cell: Cell | undefined;
  #drawing = false;

  constructor({ map, dxM, velocityMps }: Geometry, events: PaintEvents) {
    [this.#rows, this.#columns] = map;
    this.#cellM = dxM;
    this.#events = events;
    const [low, high] = velocityMps;
    this.#velocity.min = String(low);
    this.#velocity.max = String(high);
    this.#velocity.value = String(Math.round((low + 2 * high) / 3 / 50) * 50);
    this.#velocity.addEventListener("input", () => this.#describe());
    this.#radius.addEventListener("input", () => this.#describe());
    this.#toggle.addEventListener("click", () => this.#setActive(!this.active));
    button("paint-reset").addEventListener("click", () => events.reset());
    this.#describe();
  }

  get active(): boolean {
    return this.#toggle.getAttribute("aria-pressed") === "true";
  }

  /** The ring that shows where the brush is. */
  readonly layer: Layer = (context, { left, top, width, height }) => {
    const cell = this.#cell;
    if (!this.active || cell === undefined) return;
    const x = left + ((cell.column + 0.5) / this.#columns) * width;
    const y = top + ((cell.row + 0.5) / this.#rows) * height;
    context.beginPath();
    context.rect(left, top, width, height);
    context.clip();
    for (const [colour, line] of [
      ["#000", 3],
      ["#fff", 1.5],
    ] as const) {
      context.beginPath();
      context.arc(x, y, ((Number(this.#radius.value) + 0.5) / this.#columns) * width, 0, 7);
      context.strokeStyle = colour;
      context.lineWidth = line;
      context.stroke();
    }
  };

  listenOn(plot: Plot): void {
    this.#plot = plot;
    const { canvas } = plot;
    canvas.addEventListener("pointerdown", (event) => {
      if (!this.active || event.button !== 0) return;
      this.#drawing = true;
      canvas.setPointerCapture(event.pointerId);
      this.#point(event);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!this.active) return;
      for (const part of event.getCoalescedEvents?.() ?? [event]) this.#point(part);
    });
    for (const name of ["pointerup", "pointercancel"] as const) {
      canvas.addEventListener(name, () => {
        this.#drawing = false;
      });
    }
    canvas.addEventListener("pointerleave", () => this.#show(undefined));
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("focus", () => {
      if (this.active) this.#show({ row: this.#rows >> 1, column: this.#columns >> 1 });
    });
    canvas.addEventListener("blur", () => this.#show(undefined));
  }

  #setActive(on: boolean): void {
    this.#toggle.setAttribute("aria-pressed", String(on));
    this.#tools.hidden = !on;
    const canvas = this.#plot?.canvas;
    if (canvas) {
      canvas.classList.toggle("painting", on);
      canvas.tabIndex = on ? 0 : -1;
      canvas.setAttribute("role", on ? "application" : "img");
      if (on) canvas.setAttribute("aria-describedby", "paint-hint");
    }
    this.#show(undefined);
    this.#events.active(on);
  }

  #describe(): void {
    readout("brush-velocity-out").textContent = `${this.#velocity.value} m/s`;
    const cells = 2 * Number(this.#radius.value) + 1;
    readout("brush-radius-out").textContent = `${cells * this.#cellM} m`;
    this.#plot?.redraw();
  }

  #point(event: { clientX: number; clientY: number }): void {
    const { across, down } = this.#plot!.place(event);
    const row = Math.floor(down * this.#rows);
    const column = Math.floor(across * this.#columns);
    const inside = across >= 0 && across < 1 && down >= 0 && down < 1;
    this.#show(inside ? { row, column } : undefined);
    if (this.#drawing && inside) this.#stroke();
  }

  #key(event: KeyboardEvent): void {
    if (!this.active) return;
    const step = event.shiftKey ? 5 : 1;
    const { row, column } = this.#cell ?? { row: this.#rows >> 1, column: this.#columns >> 1 };
    const moves: Readonly<Record<string, readonly [number, number]>> = {
      ArrowUp: [-step, 0],
      ArrowDown: [step, 0],
      ArrowLeft: [0, -step],
      ArrowRight: [0, step],
      " ": [0, 0],
      Enter: [0, 0],
    };
    const move = moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    const clamp = (value: number, count: number) => Math.min(count - 1, Math.max(0, value));
    this.#show({
      row: clamp(row + move[0], this.#rows),
      column: clamp(column + move[1], this.#columns),
    });
    if (event.key === " " || event.key === "Enter") this.#stroke();
  }

  #stroke(): void {
    this.#events.stroke(this.#cell!, Number(this.#radius.value), Number(this.#velocity.value));
  }

  #show(cell: Cell | undefined): void {
    this.#cell = cell;
    this.#plot?.redraw();
  }
}
