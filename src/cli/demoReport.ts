/** What the demo tells: the JSON document, the files, the lines on the terminal. */
import { writeFilesAtomic } from "../io/atomic.ts";
import { formatBytes, formatMs, formatRatio } from "../io/format.ts";
import { encodeNpy } from "../io/npy.ts";
import { mapsPng, type RecordPicture } from "../io/plots/maps.ts";
import { type ReportStage, reportHtml } from "../io/report.ts";
import { type MapScore, scoreMap } from "../metrics/index.ts";
import type { Geometry } from "../model/config.ts";
import type { DemoTransit, EdgeReport } from "./demoRun.ts";
import { formatFacts, formatTable } from "./table.ts";

/** All that a finished demo knows. */
export interface DemoOutcome {
  /** "curvevel-a, seed 3" */
  title: string;
  geometry: Geometry;
  truth: Float32Array;
  traces: Float32Array;
  transit: DemoTransit;
  edges: readonly EdgeReport[];
  modelId: string;
  msModel: number;
  msStart: number;
}

/** The document of `--json`. Times are ms, bytes those of all devices together. */
export type DemoSummary = ReturnType<typeof summarise>;

export function summarise(outcome: DemoOutcome) {
  const { geometry, truth, traces, transit, edges, modelId, msModel, msStart } = outcome;
  const { document, msToBroker, msToDecoder, msCommit } = transit;
  const score: MapScore = scoreMap(transit.map, truth, geometry.map[0]);
  const total = (of: (edge: EdgeReport) => number) => edges.reduce((sum, e) => sum + of(e), 0);
  const { ssim, mae, rmse, maeMps } = score;
  return {
    ssim,
    mae,
    rmse,
    maeMps,
    devicesPresent: document.devicesPresent.length,
    /** Of the slowest device: devices work at the same time. */
    msEncode: Math.max(...edges.map(({ msEncode }) => msEncode)),
    msDecode: document.msDecode,
    /** Latents alone. */
    payloadBytes: total(({ bytes }) => bytes.payload),
    frameBytes: total(({ bytes }) => bytes.frames),
    /** Both ways on the devices' TCP connections, from connect to disconnect. */
    mqttBytes: total(({ bytes }) => bytes.mqttIn + bytes.mqttOut),
    wireBytes: total(({ bytes }) => bytes.wire),
    rawBytes: traces.byteLength,
    module: document.module,
    modelId,
    /** One after the other; together, from the map to the result on disk. */
    stages: {
      msStart,
      msModel,
      msToBroker,
      msToDecoder,
      msDecode: document.msDecode,
      msCommit,
    },
    devices: edges.map(({ device, msEncode, msAcknowledge, bytes }) => ({
      device,
      msEncode,
      msAcknowledge,
      payloadBytes: bytes.payload,
      mqttBytes: bytes.mqttIn + bytes.mqttOut,
      wireBytes: bytes.wire,
    })),
  };
}

/** Writes velocity.npy, truth.npy, maps.png and report.html into `folder`, each whole. */
export async function writeDemoFiles(
  folder: string,
  outcome: DemoOutcome,
  summary: DemoSummary,
): Promise<void> {
  const { geometry, truth, transit, title, edges } = outcome;
  const record = pictureOf(outcome);
  const { ssim, mae, rmse, maeMps } = summary;
  const report = reportHtml({
    title,
    subtitle: `${geometry.shots} shots, modelled here; each device saw its own receivers, the centre the latents.`,
    record,
    scores: { ssim, mae, rmse, maeMps },
    stages: stagesOf(summary),
    bytes: {
      raw: summary.rawBytes,
      payload: summary.payloadBytes,
      mqtt: summary.mqttBytes,
      wire: summary.wireBytes,
    },
    devices: edges.map(({ device, msEncode, bytes }) => ({
      device,
      ...geometry.devices[device]!,
      present: transit.document.devicesPresent.includes(device),
      msEncode,
      wireBytes: bytes.wire,
    })),
    facts: [
      ["model", summary.modelId],
      ["module", summary.module],
    ],
  });
  await writeFilesAtomic(folder, {
    "velocity.npy": encodeNpy(geometry.map, transit.map),
    "truth.npy": encodeNpy(geometry.map, truth),
    "maps.png": mapsPng({ ...record, title: `${title}: SSIM ${ssim.toFixed(4)}` }),
    "report.html": report,
  });
}

/** What the terminal shows. */
export function describeDemo(outcome: DemoOutcome, summary: DemoSummary, folder: string): string {
  const stages = formatTable(
    ["stage", "time"],
    stagesOf(summary).map(({ name, ms, note }) => [
      note === undefined ? name : `${name} (${note})`,
      formatMs(ms),
    ]),
  );
  const devices = formatTable(
    ["device", "receivers", "encode", "latent", "MQTT", "wire"],
    summary.devices.map(({ device, msEncode, payloadBytes, mqttBytes, wireBytes }) => {
      const { firstReceiver, receivers } = outcome.geometry.devices[device]!;
      return [
        `${device}`,
        `${firstReceiver}-${firstReceiver + receivers - 1}`,
        formatMs(msEncode),
        formatBytes(payloadBytes),
        formatBytes(mqttBytes),
        formatBytes(wireBytes),
      ];
    }),
  );
  const { ssim, mae, rmse, maeMps, rawBytes, payloadBytes, mqttBytes, wireBytes } = summary;
  const facts = formatFacts([
    [
      "score",
      `SSIM ${ssim.toFixed(4)}, MAE ${mae.toFixed(4)} (${maeMps.toFixed(1)} m/s), RMSE ${rmse.toFixed(4)}`,
    ],
    [
      "bytes",
      `${formatBytes(payloadBytes)} latents, ${formatBytes(mqttBytes)} MQTT, ` +
        `${formatBytes(wireBytes)} on the wire; raw traces ${formatBytes(rawBytes)}, ` +
        `${formatRatio(rawBytes / wireBytes)} as much`,
    ],
    ["model", `${summary.modelId}, ${summary.module} module`],
    ["written", `${folder}: velocity.npy truth.npy maps.png report.html`],
  ]);
  return [outcome.title, "", stages, "", devices, "", facts].join("\n");
}

/** Stages that follow one another, so that their sum is the time that passed. */
function stagesOf({ stages, msEncode, msDecode }: DemoSummary): ReportStage[] {
  return [
    { name: "model the shots", ms: stages.msModel },
    {
      name: "read, encode, store, publish",
      ms: stages.msToBroker,
      note: `slowest device; encoding ${formatMs(msEncode)}`,
    },
    { name: "deliver to central", ms: stages.msToDecoder },
    { name: "decode", ms: msDecode },
    { name: "commit and acknowledge", ms: stages.msCommit, note: "synced to disk" },
  ];
}

/** Truth, prediction, error and the middle shot. */
function pictureOf({ geometry, truth, traces, transit }: DemoOutcome): RecordPicture {
  const { samples, receivers, shots } = geometry;
  const shot = Math.floor(shots / 2);
  const from = shot * samples * receivers;
  const data = traces.subarray(from, from + samples * receivers);
  return {
    truth,
    prediction: transit.map,
    gather: { data, samples, receivers, shot },
    geometry,
  };
}
