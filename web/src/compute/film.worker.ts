/** Films one shot at a time with the physics kernel. */
import { ForwardModeller } from "../../../src/physics/index.ts";
import type { Film, FilmReply, FilmRequest } from "./messages.ts";

/** Time steps from one picture to the next: at 1 ms and 15 Hz, sixteen pictures per period. */
const STEPS_PER_PICTURE = 4;

let loading: Promise<ForwardModeller> | undefined;

addEventListener("message", (event: MessageEvent<FilmRequest>) => {
  film(event.data).then(
    (made) => reply({ kind: "film", film: made }, [made.pressure.buffer as ArrayBuffer]),
    (error: unknown) =>
      reply({ kind: "failed", message: error instanceof Error ? error.message : String(error) }),
  );
});

async function film({ map, shot, survey }: FilmRequest): Promise<Film> {
  loading ??= ForwardModeller.load({ boundary: "fast", geometry: survey });
  const modeller = await loading;
  const { samples, sampleS } = modeller.geometry;
  const pictures = Math.floor(samples / STEPS_PER_PICTURE);
  const pressure = new Float32Array(pictures * map.length);
  modeller.film(map, shot, STEPS_PER_PICTURE, (picture, steps) => {
    pressure.set(picture, (steps / STEPS_PER_PICTURE - 1) * map.length);
  });
  return { shot, pressure, pictures, intervalS: STEPS_PER_PICTURE * sampleS };
}

function reply(message: FilmReply, transfer: Transferable[] = []): void {
  postMessage(message, { transfer });
}
