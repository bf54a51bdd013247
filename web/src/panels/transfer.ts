/** What the chosen link makes of a record's latents, and of the traces they stand for. */
import { bytes, seconds, times } from "../format.ts";
import { type LinkProfile, transferSeconds, wireBytes } from "../links.ts";
import { element, make } from "./dom.ts";

/** Bytes of each device that sends; none at all shows nothing. */
export function showTransfer(
  link: LinkProfile,
  frameBytes: readonly number[],
  rawBytes: readonly number[],
): void {
  const list = element("transfer", HTMLDListElement);
  if (frameBytes.length === 0) {
    list.replaceChildren(make("dt", "note", "Link"), make("dd", "note", "Nothing is sent."));
    return;
  }
  const latentS = transferSeconds(link, frameBytes);
  const rawS = transferSeconds(link, rawBytes);
  const longest = Math.max(latentS, rawS);
  list.replaceChildren(
    ...line("Latents", frameBytes, latentS, longest, "latent-bar"),
    ...line("Raw traces", rawBytes, rawS, longest, "raw-bar"),
    make("dt", "note", "Link"),
    make("dd", "note", `${describe(link)}: ${times(rawS / latentS)} sooner`),
  );
}

function describe({ upMbps, delayMs, wakeMs, shared }: LinkProfile): string {
  const rate = upMbps < 1 ? `${upMbps * 1000} kbit/s` : `${upMbps} Mbit/s`;
  return `${rate} ${shared ? "for all" : "each"}, ${delayMs} ms away, ${wakeMs.toFixed(0)} ms to wake`;
}

function line(
  name: string,
  deviceBytes: readonly number[],
  s: number,
  longest: number,
  kind: string,
): [HTMLElement, HTMLElement] {
  const bar = make("span", `bar ${kind}`);
  bar.style.width = `${Math.max(0.6, (100 * s) / longest)}%`;
  const sent = deviceBytes.reduce((sum, count) => sum + wireBytes(count), 0);
  return [
    make("dt", "", name),
    make(
      "dd",
      "",
      make("span", "track", bar),
      make("span", "value", seconds(s)),
      make("span", "value wide", bytes(sent)),
    ),
  ];
}
