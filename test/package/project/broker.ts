/** The one entry point that needs Node's types. */
import { Broker } from "epic-wasm/mqtt";

export const start = (): Promise<Broker> => Broker.start({ port: 0 });
