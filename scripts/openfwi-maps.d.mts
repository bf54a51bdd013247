/** Real OpenFWI velocity maps kept outside the repository; their licence forbids shipping them. */

/** The folder EPIC_OPENFWI_MAPS, or ../shared/openfwi-maps beside the repository; else undefined. */
export function realMapsFolder(): string | undefined;
/** Maps [70][70] of FlatVelA or CurveVelA, m/s. */
export function readRealMaps(folder: string, set: "FlatVelA" | "CurveVelA"): Float32Array[];
/** The example map of a family, e.g. "FlatFault_A". */
export function readExample(folder: string, name: string): Float32Array;
