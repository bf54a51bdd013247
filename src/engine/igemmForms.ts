import type { Arena } from "./arena.ts";
import { type IgemmShape, igemmCase } from "./igemmCase.ts";
import {
  type IgemmForms,
  type IgemmName,
  type KernelExports,
  type ModuleName,
  OutKind,
  PLAIN_FORMS,
  type Tiles,
} from "./kernels.ts";
import { hasWideVectors } from "./wideVectors.ts";

/** Two tiles of rows; a pair of panels and an odd one; two segments. */
const SHAPE: IgemmShape = { rows: 8, segments: 2, segment: 20, n: 24 };

/**
 * The forms of the products that fit this engine. Each one is compared with the plain form first,
 * and not used where a bit differs.
 * @param tiles of the other kernels, compared already
 */
export function chooseForms(
  exports: KernelExports,
  arena: Arena,
  module: ModuleName,
  tiles: Tiles,
): IgemmForms {
  if (module === "scalar") return PLAIN_FORMS;
  const wide = hasWideVectors();
  const s16: IgemmForms["s16"] = wide ? "igemm_s16_4x16" : "igemm_s16";
  const dot: IgemmForms["u7"] = wide ? "igemm_u7_dot4_4x16" : "igemm_u7_dot4";
  const u7 = module === "relaxed" && hasNativeDot4(exports, arena) ? dot : "igemm_u7";
  const chosen = isEqual(exports, arena, u7, "igemm_u7") ? u7 : "igemm_u7";
  const isDot4 = chosen !== "igemm_u7";
  return {
    s16: isEqual(exports, arena, s16, "igemm_s16") ? s16 : "igemm_s16",
    u7: chosen,
    u7Small: isDot4 || !exports.igemm_u7_sum4 ? chosen : "igemm_u7_sum4",
    conv1d: wide ? "igemm" : "conv1d_pairs_s16", // its tile is the narrow one
    // One instruction for four products is ahead of 2x2 tiles, and in wide vectors of 3x3 ones too.
    conv2d: isDot4 && wide ? "igemm" : "winograd3x3_s16",
    convT2d: isDot4 ? "igemm" : "winograd2x2_s16",
    winograd: tiles,
  };
}

/**
 * Whether the engine has one instruction for four products of bytes. An engine that lacks it adds
 * pairs of products in 16 bits, which saturate at activations that no layer has: 4·127·255 comes
 * out as 2·32767. This shows at once, where timing would have to wait for the optimising compiler.
 */
function hasNativeDot4(exports: KernelExports, arena: Arena): boolean {
  const mark = arena.mark();
  const a = arena.place(new Uint8Array(4).fill(255));
  const rows = arena.place(new Uint32Array(4));
  const b = arena.place(new Int8Array(32).fill(127));
  const bias = arena.place(new Int32Array(8));
  const scale = arena.place(new Float32Array(8).fill(1));
  const c = arena.alloc(32);
  exports.igemm_u7_dot4(a, rows, 4, 1, 4, 4, b, bias, scale, c, rows, 8, OutKind.f32, 0, 0);
  const [sum] = arena.view(Float32Array, c, 1);
  arena.release(mark);
  return sum !== 2 * 32767;
}

function isEqual(exports: KernelExports, arena: Arena, form: IgemmName, plain: IgemmName): boolean {
  if (form === plain) return true;
  const mark = arena.mark();
  const outputs = [form, plain].map((name) => {
    const input = name.startsWith("igemm_s16") ? "s16" : "u7";
    const product = igemmCase(exports, arena, input, SHAPE, 3, name);
    product.run(OutKind.f32, 0, 0);
    return arena.view(Uint8Array, product.c, product.cBytes(OutKind.f32)).slice();
  });
  arena.release(mark);
  return outputs[0]!.every((byte, i) => byte === outputs[1]![i]);
}
