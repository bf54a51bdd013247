/** Models one record, encodes it as five devices would, decodes the latents, and draws truth and map. */
import { CentralDecoder, EdgeEncoder, scoreMap } from "epic-wasm";
import { ForwardModeller, lineSurvey, velocityMap } from "epic-wasm/physics";

const encoder = await EdgeEncoder.load();
const decoder = await CentralDecoder.load();
const { geometry } = encoder.config;
const truth = velocityMap("curvevel-a", 0, 0, geometry.map);
const modeller = await ForwardModeller.load({ boundary: "fast", geometry: lineSurvey(geometry) });
const record = modeller.model(truth);

const latents = new Int8Array(
  geometry.devices.length * encoder.config.latent.slots * encoder.config.latent.channels,
);
geometry.devices.forEach((block, device) => {
  const latent = encoder.encode(tracesOf(record, block), { device });
  latents.set(latent, device * latent.length);
});
const map = decoder.decode(latents);

draw("truth", truth);
draw("map", map);
const { ssim, maeMps } = scoreMap(map, truth, geometry.map[0]);
document.getElementById("result").textContent =
  `SSIM ${ssim.toFixed(4)}, mean error ${maeMps.toFixed(1)} m/s, ${latents.length} bytes of latents for ` +
  `${record.byteLength} of traces, ${encoder.module} module`;

/** One device's receivers of a record [shots][samples][receivers]. */
function tracesOf(record, { firstReceiver, receivers }) {
  const traces = [];
  for (let row = 0; row < record.length; row += geometry.receivers) {
    traces.push(...record.subarray(row + firstReceiver, row + firstReceiver + receivers));
  }
  return Float32Array.from(traces);
}

function draw(id, values) {
  const [rows, columns] = geometry.map;
  const canvas = document.getElementById(id);
  [canvas.width, canvas.height] = [columns, rows];
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  values.forEach((velocity, i) => {
    const grey =
      (255 * (velocity - geometry.velocityMps[0])) /
      (geometry.velocityMps[1] - geometry.velocityMps[0]);
    image.data.set([grey, grey, grey, 255], 4 * i);
  });
  context.putImageData(image, 0, 0);
}
