/** MQTT: the embedded broker and the client link. `epic-wasm/mqtt`. */
export { Broker, type BrokerOptions } from "./broker.ts";
export { checkBrokerUrl, MqttLink, type MqttLinkOptions } from "./client.ts";
export { type LinkBytes, LinkMeter } from "./meter.ts";
