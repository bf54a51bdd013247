/** MQTT: the embedded broker and the client link. `epic-wasm/mqtt`. */
export { Broker, type BrokerOptions, type BrokerTls } from "./broker.ts";
export { checkBrokerUrl, type LinkTls, MqttLink, type MqttLinkOptions } from "./client.ts";
export { type LinkBytes, LinkMeter } from "./meter.ts";
export { describeRefusal, type Refusal, type RefusalReason } from "./refusals.ts";
export { Users } from "./users.ts";
