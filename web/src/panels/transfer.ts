/** What the chosen link makes of a latent and of the traces it stands for. */
import { bytes, seconds, times } from "../format.ts";
import { type LinkProfile, transferSeconds, wireBytes } from "../links.ts";
import { element, make } from "./dom.ts";

/** `frameBytes` and `rawBytes` are one device's. */
export function showTransfer(link: LinkProfile, frameBytes: number, rawBytes: number): void {
  const latentS = transferSeconds(link, frameBytes);
  const rawS = transferSeconds(link, rawBytes);
  const longest = Math.max(latentS, rawS);
  element("transfer", HTMLDListElement).replaceChildren(
    ...line("Latent", wireBytes(frameBytes), latentS, longest, "latent-bar"),
    ...line("Raw traces", wireBytes(rawBytes), rawS, longest, "raw-bar"),
    make("dt", "note", "Per device"),
    make("dd", "note", `${describe(link)}: ${times(rawS / latentS)} sooner`),
  );
}

function describe({ upMbps, delayMs, wakeMs }: LinkProfile): string {
  const rate = upMbps < 1 ? `${upMbps * 1000} kbit/s` : `${upMbps} Mbit/s`;
  return `${rate}, ${delayMs} ms away${wakeMs > 0 ? `, ${wakeMs} ms to wake` : ""}`;
}

function line(
  name: string,
  sent: number,
  s: number,
  longest: number,
  kind: string,
): [HTMLElement, HTMLElement] {
  const bar = make("span", `bar ${kind}`);
  bar.style.width = `${Math.max(0.6, (100 * s) / longest)}%`;
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
