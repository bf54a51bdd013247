import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** What the central service counts, in Prometheus' terms. */
export class CentralMetrics {
  readonly registry = new Registry();
  readonly frames = new Counter({
    name: "epic_frames_total",
    help: "Frames received, by what became of them",
    labelNames: ["outcome"] as const,
    registers: [this.registry],
  });
  readonly refused = new Counter({
    name: "epic_frames_refused_total",
    help: "Frames refused, by reason",
    labelNames: ["reason"] as const,
    registers: [this.registry],
  });
  readonly payloadBytes = new Counter({
    name: "epic_payload_bytes_total",
    help: "Latent bytes of the frames taken",
    registers: [this.registry],
  });
  readonly records = new Counter({
    name: "epic_records_total",
    help: "Results committed: complete, partial (devices missing) or refined by a late frame",
    labelNames: ["outcome"] as const,
    registers: [this.registry],
  });
  readonly openRecords = new Gauge({
    name: "epic_records_open",
    help: "Records waiting for more frames",
    registers: [this.registry],
  });
  readonly queuedFrames = new Gauge({
    name: "epic_frames_queued",
    help: "Frames received and not handled yet",
    registers: [this.registry],
  });
  readonly commitFailures = new Counter({
    name: "epic_commit_failures_total",
    help: "Results that could not be written; their frames come again",
    registers: [this.registry],
  });
  readonly gapFrames = new Counter({
    name: "epic_gap_frames_total",
    help: "Frames that devices have given up, by the reason they name",
    labelNames: ["reason"] as const,
    registers: [this.registry],
  });
  readonly decodeSeconds = new Histogram({
    name: "epic_decode_seconds",
    help: "Time to decode one record",
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1],
    registers: [this.registry],
  });
  readonly waitSeconds = new Histogram({
    name: "epic_wait_seconds",
    help: "Time from a record's first frame to its decoding",
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60],
    registers: [this.registry],
  });
  readonly latentMisfit = new Histogram({
    name: "epic_latent_misfit",
    help: "How far the latents of a map's own modelled record are from the received ones (--check)",
    buckets: [0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1, 1.5],
    registers: [this.registry],
  });
  readonly deviceUp = new Gauge({
    name: "epic_device_up",
    help: "1 while a device says it is online",
    labelNames: ["device"] as const,
    registers: [this.registry],
  });

  constructor(model: { modelId: string; name: string; module: string }) {
    collectDefaultMetrics({ register: this.registry });
    new Gauge({
      name: "epic_model_info",
      help: "The model in use; always 1",
      labelNames: ["model_id", "name", "module"] as const,
      registers: [this.registry],
    }).set({ model_id: model.modelId, name: model.name, module: model.module }, 1);
  }
}
