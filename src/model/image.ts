import type { Build } from "./build.ts";
import type { Element } from "./config.ts";
import { placeRows, type RowTable } from "./offsets.ts";
import type { ImageSize } from "./shapes.ts";
import { storageOf } from "./storage.ts";

/** An image [height][width][channels] in module memory, with a border of one zero pixel. */
export interface PaddedImage extends ImageSize {
  readonly address: number;
  readonly rowBytes: number;
  readonly pixelBytes: number;
}

export function allocImage(
  { arena, name }: Build,
  { height, width }: ImageSize,
  channels: number,
  element: Element,
): PaddedImage {
  const pixelBytes = channels * storageOf(element, name).bytes;
  const rowBytes = (width + 2) * pixelBytes;
  const address = arena.alloc((height + 2) * rowBytes);
  return { address, height, width, rowBytes, pixelBytes };
}

/** Byte offset of pixel (y, x); the border has coordinates -1, `height` and `width`. */
export function pixelOffset(image: PaddedImage, y: number, x: number): number {
  return (y + 1) * image.rowBytes + (x + 1) * image.pixelBytes;
}

/** One row per pixel of a `size` window, row-major: `at(y, x)` says which pixel of `image`. */
export function placePixels(
  { arena }: Build,
  image: PaddedImage,
  size: ImageSize,
  at: (y: number, x: number) => readonly [number, number],
): RowTable {
  return placeRows(arena, size.height * size.width, (row) => {
    const [y, x] = at(Math.floor(row / size.width), row % size.width);
    return pixelOffset(image, y, x);
  });
}
