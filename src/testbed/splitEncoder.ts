import { edgeModules } from "../engine/edgeModules.ts";
import { type ModuleName, usesUint8Activations } from "../engine/kernels.ts";
import { openModule } from "../engine/openModule.ts";
import { planEdge } from "../model/edgePlan.ts";
import { ModelFile } from "../model/modelFile.ts";
import { countOf, latentShape, traceShape } from "../model/shapes.ts";
import { runSteps } from "../model/step.ts";

/**
 * Split learning's cut: the device runs the encoder up to one layer and sends that layer's activations,
 * one byte each; the centre runs the rest. The same weights and bits as the encoder in one piece.
 */
export class SplitEncoder {
  /** Bytes that travel. */
  readonly payloadBytes: number;
  readonly #traces: Float32Array;
  readonly #latent: Int8Array;
  readonly #activations: Uint8Array | Int16Array;
  readonly #head: () => void;
  readonly #tail: () => void;

  /**
   * @param weights the edge half
   * @param layer after which to cut, from 0; its output is bytes in 0..127
   * @throws RangeError for a layer whose output is not, or devices of different sizes
   */
  static async load(
    weights: Uint8Array,
    layer: number,
    module?: ModuleName,
  ): Promise<SplitEncoder> {
    const file = await ModelFile.read(weights, "edge");
    const { edge, geometry } = file.config;
    if (edge.layers[layer]?.output !== "u7") {
      throw new RangeError(`split: expected a layer with u7 activations, got ${layer}`);
    }
    const sizes = new Set(geometry.devices.map(({ receivers }) => receivers));
    if (sizes.size > 1) throw new RangeError("split: expected devices of one size, got several");
    const open = await openModule(edgeModules, { ...(module && { module }) });
    const plan = planEdge(open, file);
    const { address, rows } = plan.activations[layer]!;
    const count = rows * edge.layers[layer]!.out;
    const activations = usesUint8Activations(open.name)
      ? open.arena.view(Uint8Array, address, count)
      : open.arena.view(Int16Array, address, count);
    const [before, after] = [plan.steps.slice(0, layer + 2), plan.steps.slice(layer + 2)];
    return new SplitEncoder(
      open.arena.view(Float32Array, plan.traces, countOf(traceShape(file.config))),
      open.arena.view(Int8Array, plan.latent, countOf(latentShape(file.config))),
      activations,
      () => runSteps(before),
      () => runSteps(after),
    );
  }

  private constructor(
    traces: Float32Array,
    latent: Int8Array,
    activations: Uint8Array | Int16Array,
    head: () => void,
    tail: () => void,
  ) {
    this.payloadBytes = activations.length;
    this.#traces = traces;
    this.#latent = latent;
    this.#activations = activations;
    this.#head = head;
    this.#tail = tail;
  }

  /** The device's part. @param traces f32 [shots][samples][receivers] @returns bytes, fresh */
  head(traces: Float32Array): Uint8Array {
    this.#traces.set(traces);
    this.#head();
    return Uint8Array.from(this.#activations);
  }

  /** The centre's part. @returns the latent, int8 [slots][channels], fresh */
  tail(payload: Uint8Array): Int8Array {
    this.#activations.set(payload);
    this.#tail();
    return this.#latent.slice();
  }
}
