/** Forward modelling and velocity maps: `epic-wasm/physics`. */
export type { Boundary } from "./boundary.ts";
export { FAMILIES, type FamilyName, velocityMap } from "./families/index.ts";
export { ForwardModeller, type ForwardOptions, type Region } from "./forward.ts";
export type { PhysicsModuleName } from "./module.ts";
export {
  checkSurvey,
  type GridPoint,
  type LineSurvey,
  lineSurvey,
  OPENFWI_SURVEY,
  type SurveyGeometry,
} from "./survey.ts";

/** Raised whenever records or maps of the same inputs change: data made earlier are then stale. */
export const PHYSICS_REVISION = 3;
