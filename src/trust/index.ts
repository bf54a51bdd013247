/** How far to trust a predicted map without knowing the true one: `epic-wasm/trust`. */
export { type CheckOptions, PhysicsCheck, type PhysicsCheckOptions } from "./physicsCheck.ts";
