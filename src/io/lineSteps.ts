import { type LineSurvey, lineSurvey } from "../physics/survey.ts";

/** Where and when a model expects its data: for files that state it, which npy files do not. */
export interface LineSteps {
  readonly dtMs?: number | undefined;
  /** A cell of the map, m. */
  readonly dxM: number;
  /** x of the sources, m. */
  readonly sourcesM?: readonly number[];
  /** x of the receivers that a file may hold, m: of all, or of one device. */
  readonly receiversM?: readonly (readonly number[])[];
}

/** The steps of a model's survey. `block`: a device whose own receivers are as welcome as all. */
export function lineSteps(
  geometry: LineSurvey,
  block?: { readonly firstReceiver: number; readonly receivers: number },
): LineSteps {
  const { sources, receivers, spacingM } = lineSurvey(geometry);
  const all = receivers.map(({ column }) => column * spacingM);
  const own = block && all.slice(block.firstReceiver, block.firstReceiver + block.receivers);
  return {
    dtMs: geometry.dtMs,
    dxM: geometry.dxM,
    sourcesM: sources.map(({ column }) => column * spacingM),
    receiversM: own ? [all, own] : [all],
  };
}
