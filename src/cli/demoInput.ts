/** What the demo starts from: a velocity map, the model that is to see it, the traces it makes. */
import { loadModel } from "../io/modelFiles.ts";
import { velocityExpectation } from "../io/npy.ts";
import type { Geometry, ModelConfig } from "../model/config.ts";
import { ModelFile } from "../model/modelFile.ts";
import { type FamilyName, velocityMap } from "../physics/families/index.ts";
import { type Boundary, ForwardModeller, lineSurvey } from "../physics/index.ts";
import { openInput } from "./openInput.ts";

export interface MapChoice {
  /** A file of maps; the family's map when absent. */
  map?: string;
  family: FamilyName;
  seed: number;
  /** Which map of the family, or of the file. */
  index: number;
}

/** The configuration of a model folder. @throws Error when its halves are not of one model */
export async function readModel(
  folder: string | undefined,
): Promise<{ config: ModelConfig; modelId: string }> {
  const files = await loadModel(folder);
  const edge = await ModelFile.read(files.edge, "edge");
  const central = await ModelFile.read(files.central, "central");
  if (edge.edgeSha256 !== central.edgeSha256) {
    throw new Error(
      `model: expected a central half for ${edge.modelId}, got one for ${central.modelId}`,
    );
  }
  return { config: edge.config, modelId: edge.modelId };
}

/** The chosen map, [rows][columns] in m/s. @throws Error for a file that holds no such map */
export async function readMap(
  { map, family, seed, index }: MapChoice,
  geometry: Geometry,
): Promise<Float32Array> {
  if (map === undefined) return velocityMap(family, seed, index, geometry.map);
  const file = await openInput(map, velocityExpectation(geometry.map, geometry.dxM));
  try {
    if (index >= file.count) {
      throw new Error(`${map}: expected more than ${index} maps for --index, got ${file.count}`);
    }
    const values = await file.read(index);
    checkVelocities(values, geometry, map);
    return values;
  } finally {
    await file.close();
  }
}

/** All shots over a map: [shots][samples][receivers]. */
export async function modelShots(
  map: Float32Array,
  geometry: Geometry,
  boundary: Boundary,
): Promise<Float32Array> {
  const modeller = await ForwardModeller.load({ boundary, geometry: lineSurvey(geometry) });
  try {
    return modeller.model(map);
  } finally {
    modeller.dispose();
  }
}

function checkVelocities(values: Float32Array, { map, velocityMps }: Geometry, path: string): void {
  const [low, high] = velocityMps;
  const at = values.findIndex((velocity) => velocity < low || velocity > high);
  if (at < 0) return;
  const place = `row ${Math.floor(at / map[1])}, column ${at % map[1]}`;
  throw new Error(`${path}: expected ${low} to ${high} m/s, got ${values[at]} at ${place}`);
}
