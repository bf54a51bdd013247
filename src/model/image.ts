import { roundUp, TILE_ROWS } from "../engine/kernels.ts";
import type { Build } from "./build.ts";
import { placeTable, type RowTable } from "./offsets.ts";
import type { ImageSize } from "./shapes.ts";
import type { Storage } from "./storage.ts";

/** An image [height][width][channels] in module memory, with a border of one zero pixel. */
export interface PaddedImage extends ImageSize {
  readonly address: number;
  readonly rowBytes: number;
  readonly pixelBytes: number;
  readonly storage: Storage;
}

export function allocImage(
  { arena }: Build,
  { height, width }: ImageSize,
  channels: number,
  storage: Storage,
): PaddedImage {
  const pixelBytes = channels * storage.bytes;
  const rowBytes = (width + 2) * pixelBytes;
  const address = arena.alloc((height + 2) * rowBytes);
  return { address, height, width, rowBytes, pixelBytes, storage };
}

/** `free` where it is of that kind, as its border is still zero, else a new image. */
export function imageLike(
  free: PaddedImage | undefined,
  build: Build,
  size: ImageSize,
  channels: number,
  storage: Storage,
): PaddedImage {
  const pixelBytes = channels * storage.bytes;
  const fits =
    free?.height === size.height && free.width === size.width && free.pixelBytes === pixelBytes;
  return fits ? { ...free, storage } : allocImage(build, size, channels, storage);
}

/** Byte offset of pixel (y, x); the border has coordinates -1, `height` and `width`. */
export function pixelOffset(image: PaddedImage, y: number, x: number): number {
  return (y + 1) * image.rowBytes + (x + 1) * image.pixelBytes;
}

/**
 * One row per pixel of a `size` window, row-major: `at(y, x)` says which pixel of `image`. It is linear in y and in x, so
 * that three of its pixels say where all are.
 */
export function placePixels(
  { arena }: Build,
  image: PaddedImage,
  { height, width }: ImageSize,
  at: (y: number, x: number) => readonly [number, number],
): RowTable {
  const offset = (y: number, x: number) => pixelOffset(image, ...at(y, x));
  const first = offset(0, 0);
  const [down, right] = [offset(1, 0) - first, offset(0, 1) - first];
  const rows = height * width;
  const offsets = new Uint32Array(roundUp(rows, TILE_ROWS));
  for (let y = 0, row = 0; y < height; y++) {
    let next = first + y * down;
    for (let x = 0; x < width; x++, next += right) offsets[row++] = next;
  }
  return placeTable(arena, offsets, rows);
}
