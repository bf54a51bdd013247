/**
 * Sizes of the convolutions by Winograd's minimal filtering (assembly/kernels/
 * winograd*_s16.ts, where the method and its ranges are written down).
 */
import { roundUp, TILE_ROWS } from "./kernels.ts";

/** Bytes between the rows of two positions: assembly/lib/tileProducts.ts. */
const POSITION_PAD = 64;

/** A kernel size that has such a convolution. */
export interface WinogradForm {
  readonly kernel: "winograd3x3_s16" | "winograd2x2_s16";
  /** Rows and columns of the convolution's kernel. */
  readonly taps: number;
  /** Rows and columns of the pixels that a tile reads, and of those it writes. */
  readonly tileIn: number;
  readonly tileOut: number;
  /** Largest |bias| plus sum of |a·w| over a pixel's window for which the kernel's arithmetic is exact. */
  readonly sumMax: number;
  /** Largest |a|. */
  readonly inputMax: number;
  /** Tiles that the kernel takes at a time. */
  readonly block: number;
}

/** F(4x4, 3x3). */
export const WINOGRAD_3X3: WinogradForm = {
  kernel: "winograd3x3_s16",
  taps: 3,
  tileIn: 6,
  tileOut: 4,
  sumMax: 2 ** 25 - 1,
  inputMax: 127,
  block: 28,
};

/** F(3x3, 2x2). */
export const WINOGRAD_2X2: WinogradForm = {
  kernel: "winograd2x2_s16",
  taps: 2,
  tileIn: 4,
  tileOut: 3,
  sumMax: 2 ** 29 - 1,
  inputMax: 2047,
  block: 36,
};

/** Bytes of a layer's transformed weights, as `pack_winograd` writes them. */
export function winogradWeightBytes({ tileIn }: WinogradForm, n: number, channels: number): number {
  return tileIn * tileIn * n * channels * 2;
}

/** Bytes of a kernel's scratch memory, 16-byte aligned, for a layer of `tiles` tiles. */
export function winogradScratchBytes(
  { tileIn, block }: WinogradForm,
  tiles: number,
  channels: number,
  n: number,
): number {
  const positions = tileIn * tileIn;
  const rows = roundUp(Math.min(tiles, block), TILE_ROWS);
  return positions * (32 + rows * (channels * 2 + n * 4) + 2 * POSITION_PAD);
}
