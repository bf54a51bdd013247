/** What stands on the surface, drawn above a picture: receivers by device, and the source. */
import type { DeviceBlock } from "../../../src/model/config.ts";
import type { Layer } from "../plots/plot.ts";
import { deviceColour, theme } from "../plots/theme.ts";

export interface Surface {
  readonly devices: readonly DeviceBlock[];
  readonly receivers: number;
  readonly present: readonly boolean[];
  /** Column of the source and the number of columns. */
  readonly source: number;
  readonly columns: number;
}

/** Room that the marks take above the picture, px. */
export const SURFACE_HEIGHT = 26;

export function surfaceLayer(surface: () => Surface): Layer {
  return (context, { left, top, width }) => {
    const { devices, receivers, present, source, columns } = surface();
    const { ink, muted } = theme();
    context.font = "600 10px Inter, system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "alphabetic";
    devices.forEach(({ firstReceiver, receivers: count }, device) => {
      const from = left + (firstReceiver / receivers) * width;
      const length = (count / receivers) * width;
      context.globalAlpha = present[device] ? 1 : 0.25;
      context.fillStyle = deviceColour(device);
      context.fillRect(from + 1, top - 7, length - 2, 3);
      context.fillStyle = present[device] ? muted : ink;
      context.fillText(String(device + 1), from + length / 2, top - 11);
    });
    context.globalAlpha = 1;
    drawSource(context, left + ((source + 0.5) / columns) * width, top - 1, ink);
  };
}

/** A triangle that points down at the source. */
function drawSource(context: CanvasRenderingContext2D, x: number, y: number, colour: string): void {
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x - 5, y - 9);
  context.lineTo(x + 5, y - 9);
  context.closePath();
  context.fillStyle = colour;
  context.fill();
  context.lineWidth = 1.5;
  context.strokeStyle = theme().paper;
  context.stroke();
}
