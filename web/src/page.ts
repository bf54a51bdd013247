/** The page once the model is there: settings in, requests to two workers, answers to the panels. */
import { viridisScale } from "../../src/io/plots/colours.ts";
import { lineSurvey, type SurveyGeometry, velocityMap } from "../../src/physics/index.ts";
import type { InversionInput, InversionOutput } from "./compute/inversion.ts";
import { LatestOnly } from "./compute/latestOnly.ts";
import type { FilmReply, FilmRequest, InversionReply, ModelAbout } from "./compute/messages.ts";
import { type Cell, paintDisc } from "./paintDisc.ts";
import { Chips } from "./panels/chips.ts";
import { Controls } from "./panels/controls.ts";
import { element } from "./panels/dom.ts";
import { FiguresPanel } from "./panels/figures.ts";
import { GroundPanel } from "./panels/ground.ts";
import { LatentsPanel } from "./panels/latents.ts";
import { MapsPanel } from "./panels/maps.ts";
import type { Surface } from "./panels/marks.ts";
import { Brush } from "./panels/paint.ts";
import { Playback } from "./panels/playback.ts";
import { RecordPanel } from "./panels/record.ts";
import { showTransfer } from "./panels/transfer.ts";
import { formatHash, parseHash, type Settings } from "./settings.ts";

/** Figures are spoken when they have stood still for so long. */
const ANNOUNCE_AFTER_MS = 1200;

export interface Workers {
  readonly invert: (input: InversionInput) => void;
  readonly film: (request: FilmRequest) => void;
  readonly fail: (message: string) => void;
}

export class Page {
  readonly #about: ModelAbout;
  readonly #survey: SurveyGeometry;
  readonly #fail: (message: string) => void;
  readonly #inversion: LatestOnly<InversionInput>;
  readonly #film: LatestOnly<FilmRequest>;
  readonly #controls: Controls;
  readonly #ground: GroundPanel;
  readonly #record: RecordPanel;
  readonly #latents: LatentsPanel;
  readonly #chips: Chips;
  readonly #maps: MapsPanel;
  readonly #figures: FiguresPanel;
  #settings: Settings;
  #truth: Float32Array = new Float32Array();
  /** The input that the inversion worker is at, and its last answer. */
  #input: InversionInput | undefined;
  #output: InversionOutput | undefined;
  #announcing: ReturnType<typeof setTimeout> | undefined;

  constructor(about: ModelAbout, workers: Workers) {
    this.#about = about;
    this.#survey = lineSurvey(about.config.geometry);
    this.#fail = workers.fail;
    this.#film = new LatestOnly(workers.film);
    this.#inversion = new LatestOnly((input) => {
      this.#input = input;
      workers.invert(input);
    });
    const { geometry } = about.config;
    this.#settings = this.#read(location.hash);
    const velocity = viridisScale(...geometry.velocityMps);
    const surface = () => this.#surface();
    const brush = new Brush(geometry, {
      stroke: (cell, radius, velocityMps) => this.#paint(cell, radius, velocityMps),
      reset: () => this.#newGround(),
      active: (on) => this.#ground.hideWave(on),
    });
    this.#controls = new Controls(geometry, (change) => this.#change(change));
    this.#ground = new GroundPanel(geometry, velocity, surface, brush.layer);
    brush.listenOn(this.#ground.plot);
    this.#record = new RecordPanel(geometry, surface);
    const onSwitch = (device: number, on: boolean) => this.#switch(device, on);
    this.#latents = new LatentsPanel(about.config, this.#survey, onSwitch);
    this.#chips = new Chips(geometry.devices.length, onSwitch);
    this.#maps = new MapsPanel(geometry, velocity);
    this.#figures = new FiguresPanel(about);
    this.#startClock();
    addEventListener("hashchange", () => {
      this.#settings = this.#read(location.hash);
      this.#newGround();
    });
    this.#newGround();
  }

  /** An answer of the inversion worker. */
  inverted(reply: InversionReply): void {
    if (reply.kind === "failed") {
      this.#inversion.answered();
      this.#fail(reply.message);
    } else if (reply.kind === "done") {
      this.#output = reply.output;
      this.#showOutput(this.#input!, reply.output);
      const settled = this.#inversion.answered();
      if (settled) element("main", HTMLElement).setAttribute("aria-busy", "false");
    } else if (reply.kind === "misfit") {
      this.#showFigures(reply.latentMisfit);
    }
  }

  /** An answer of the film worker. */
  filmed(reply: FilmReply): void {
    this.#film.answered();
    if (reply.kind === "failed") this.#fail(reply.message);
    else this.#ground.setFilm(reply.film);
  }

  #read(hash: string): Settings {
    const { shots, devices } = this.#about.config.geometry;
    return parseHash(hash, shots, devices.length);
  }

  #startClock(): void {
    const { samples, dtMs } = this.#about.config.geometry;
    const clock = new Playback((samples * dtMs) / 1000);
    const show = (timeS: number) => {
      this.#ground.setTime(timeS);
      this.#record.setTime(timeS);
    };
    clock.onTime(show);
    show(clock.timeS);
  }

  get #present(): boolean[] {
    const { off } = this.#settings;
    return this.#about.config.geometry.devices.map((_, device) => !off.includes(device));
  }

  #surface(): Surface {
    const { devices, receivers, map } = this.#about.config.geometry;
    const source = this.#survey.sources[this.#settings.shot]!.column;
    return { devices, receivers, present: this.#present, source, columns: map[1] };
  }

  /** The family's map, the one that `epic demo` takes; paint is gone. */
  #newGround(): void {
    const { family, seed } = this.#settings;
    this.#truth = velocityMap(family, seed, 0, this.#about.config.geometry.map);
    this.#groundChanged();
  }

  #paint(cell: Cell, radius: number, velocityMps: number): void {
    this.#truth = this.#truth.slice();
    paintDisc(this.#truth, this.#about.config.geometry.map[1], cell, radius, velocityMps);
    this.#groundChanged();
  }

  #groundChanged(): void {
    this.#ground.setMap(this.#truth);
    this.#requestFilm();
    this.#update();
  }

  #requestFilm(): void {
    const { shot } = this.#settings;
    this.#film.request({ map: this.#truth, shot, survey: this.#survey });
  }

  #change(change: Partial<Settings>): void {
    this.#settings = { ...this.#settings, ...change };
    history.replaceState(null, "", formatHash(this.#settings));
    if (change.family !== undefined || change.seed !== undefined) {
      this.#newGround();
      return;
    }
    if (change.shot !== undefined) this.#requestFilm();
    this.#update();
  }

  #switch(device: number, on: boolean): void {
    const others = this.#settings.off.filter((other) => other !== device);
    this.#change({ off: on ? others : [...others, device].sort((a, b) => a - b) });
  }

  /** Shows the settings and asks for what follows from them; unchanged stages cost nothing. */
  #update(): void {
    const { noisePercent, encoding } = this.#settings;
    this.#controls.show(this.#settings);
    this.#latents.setPresent(this.#present);
    this.#chips.setPresent(this.#present);
    this.#ground.plot.redraw();
    if (this.#output) this.#record.setRecord(this.#output.record, this.#settings.shot);
    element("main", HTMLElement).setAttribute("aria-busy", "true");
    this.#inversion.request({
      truth: this.#truth,
      noise: noisePercent / 100,
      encoding,
      present: this.#present,
    });
  }

  #showOutput(input: InversionInput, output: InversionOutput): void {
    const { geometry } = this.#about.config;
    this.#record.setRecord(output.record, this.#settings.shot);
    this.#latents.setLatents(output.latents, output.frameBytes);
    this.#maps.show(input.truth, output.map);
    const sends = <T>(_: T, device: number) => input.present[device]!;
    const rawBytes = geometry.devices.map(
      ({ receivers }) => 4 * geometry.shots * geometry.samples * receivers,
    );
    showTransfer(this.#settings.link, output.frameBytes.filter(sends), rawBytes.filter(sends));
    this.#showFigures(undefined);
  }

  #showFigures(latentMisfit: number | undefined): void {
    const { present } = this.#input!;
    const shown = { output: this.#output!, present, latentMisfit };
    this.#figures.show(shown);
    clearTimeout(this.#announcing);
    this.#announcing = setTimeout(() => this.#figures.announce(shown), ANNOUNCE_AFTER_MS);
  }
}
