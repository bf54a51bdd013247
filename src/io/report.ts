/** One record as one HTML file: pictures, scores, times and bytes. It loads nothing from elsewhere. */
import { formatBytes, formatMs, formatRatio } from "./format.ts";
import { type RecordPicture, recordPanels } from "./plots/maps.ts";
import { reportStyle } from "./reportStyle.ts";

export interface Report {
  /** What was recorded: "flatvel-a, seed 7". */
  readonly title: string;
  /** A sentence under the title. */
  readonly subtitle?: string;
  readonly record: RecordPicture;
  /** Against the truth, as src/metrics computes them. */
  readonly scores?: ReportScores;
  /** In the order in which they happened. */
  readonly stages: readonly ReportStage[];
  readonly bytes: ReportBytes;
  readonly devices?: readonly ReportDevice[];
  /** Anything else worth a line: model id, module, versions. */
  readonly facts?: readonly (readonly [name: string, value: string])[];
}

export interface ReportScores {
  readonly ssim: number;
  readonly mae: number;
  readonly rmse: number;
  readonly maeMps: number;
}

export interface ReportStage {
  readonly name: string;
  readonly ms: number;
  /** "slowest of 5 devices" */
  readonly note?: string;
}

/** Bytes of the whole record, all devices together. */
export interface ReportBytes {
  readonly raw: number;
  /** Latents alone. */
  readonly payload: number;
  /** MQTT packets that carry them. */
  readonly mqtt?: number;
  /** With TCP/IP and link headers. */
  readonly wire: number;
}

export interface ReportDevice {
  readonly device: number;
  readonly firstReceiver: number;
  readonly receivers: number;
  readonly present: boolean;
  readonly msEncode?: number;
  readonly wireBytes?: number;
}

/** The HTML text of a report, complete and self-contained. */
export function reportHtml(report: Report): string {
  const sections = [
    headline(report),
    pictures(report.record),
    stageTable(report.stages),
    byteTable(report.bytes),
    report.devices ? deviceTable(report.devices) : "",
    report.facts ? factTable(report.facts) : "",
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${escapeHtml(report.title)} - EPIC report</title>
<style>${reportStyle}</style>
</head>
<body>
<main>
<header>
<p class="product">EPIC full-waveform inversion</p>
<h1>${escapeHtml(report.title)}</h1>
${report.subtitle === undefined ? "" : `<p class="subtitle">${escapeHtml(report.subtitle)}</p>`}
</header>
${sections.filter((section) => section !== "").join("\n")}
</main>
</body>
</html>
`;
}

/** The figures one looks for first. */
function headline({ scores, bytes, stages }: Report): string {
  const figures: [value: string, name: string][] = [];
  if (scores) {
    figures.push([scores.ssim.toFixed(4), "SSIM against the truth"]);
    figures.push([`${scores.maeMps.toFixed(1)} m/s`, "mean absolute error"]);
  }
  figures.push([formatBytes(bytes.wire), `on the wire, for ${formatBytes(bytes.raw)} of traces`]);
  figures.push([formatRatio(bytes.raw / bytes.wire), "fewer bytes than the raw traces"]);
  figures.push([formatMs(total(stages)), "all stages together"]);
  const cards = figures.map(
    ([value, name]) => `<div><dd>${escapeHtml(value)}</dd><dt>${escapeHtml(name)}</dt></div>`,
  );
  return `<dl class="headline">${cards.join("")}</dl>`;
}

const pictureTexts = {
  truth: "True velocity map in metres per second",
  prediction: "Predicted velocity map on the same colour scale",
  error: "Prediction minus truth: red is too fast, blue too slow",
  gather: "Traces of one shot: time runs down, receivers across",
} as const;

function pictures(record: RecordPicture): string {
  const figures = recordPanels(record).map(({ name, picture }) => {
    const source = `data:image/png;base64,${Buffer.from(picture.toPng()).toString("base64")}`;
    const size = `width="${picture.width / 2}" height="${picture.height / 2}"`;
    const text = pictureTexts[name];
    return `<figure><img src="${source}" ${size} alt="${text}"><figcaption>${text}</figcaption></figure>`;
  });
  return `<section class="pictures">${figures.join("\n")}</section>`;
}

function stageTable(stages: readonly ReportStage[]): string {
  const longest = Math.max(...stages.map((stage) => stage.ms), 0);
  const rows = stages.map((stage) => [
    withNote(stage.name, stage.note),
    formatMs(stage.ms),
    bar(stage.ms, longest),
  ]);
  return table(
    "Time",
    ["stage", "time", ""],
    [...rows, ["<b>together</b>", `<b>${formatMs(total(stages))}</b>`, ""]],
  );
}

function byteTable(bytes: ReportBytes): string {
  const lines: [name: string, note: string, count: number | undefined][] = [
    ["raw traces", "float32, all receivers", bytes.raw],
    ["on the wire", "with TCP/IP and link headers", bytes.wire],
    ["MQTT", "packets that carry the frames", bytes.mqtt],
    ["payload", "the latents alone", bytes.payload],
  ];
  const rows = lines.flatMap(([name, note, count]) =>
    count === undefined
      ? []
      : [
          [
            withNote(name, note),
            formatBytes(count),
            bar(count, bytes.raw),
            share(count, bytes.raw),
          ],
        ],
  );
  return table("Bytes of this record", ["layer", "bytes", "", "share of raw"], rows);
}

function deviceTable(devices: readonly ReportDevice[]): string {
  const rows = devices.map((device) => [
    String(device.device),
    `${device.firstReceiver} to ${device.firstReceiver + device.receivers - 1}`,
    device.present ? "present" : "<em>absent</em>",
    device.msEncode === undefined ? "" : formatMs(device.msEncode),
    device.wireBytes === undefined ? "" : formatBytes(device.wireBytes),
  ]);
  return table("Devices", ["device", "receivers", "", "encode", "wire"], rows);
}

function factTable(facts: readonly (readonly [string, string])[]): string {
  const rows = facts.map(([name, value]) => [escapeHtml(name), escapeHtml(value)]);
  return table("This run", ["", ""], rows, "facts");
}

/** Cells are HTML. Columns after the first hold numbers unless the table is of facts. */
function table(
  title: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  kind = "numbers",
): string {
  const header = head.some((name) => name !== "")
    ? `<thead><tr>${head.map((name) => `<th scope="col">${name}</th>`).join("")}</tr></thead>`
    : "";
  const body = rows
    .map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join("")}</tr>`)
    .join("\n");
  return `<section><h2>${title}</h2>
<div class="scroll"><table class="${kind}">${header}<tbody>
${body}
</tbody></table></div></section>`;
}

function withNote(name: string, note: string | undefined): string {
  return note === undefined
    ? escapeHtml(name)
    : `${escapeHtml(name)} <small>${escapeHtml(note)}</small>`;
}

/** A bar as long as `value` is of `longest`, at least a hair wide. */
function bar(value: number, longest: number): string {
  const percent = longest > 0 ? Math.max(0.4, (100 * value) / longest) : 0;
  return `<span class="bar"><i style="width:${percent.toFixed(1)}%"></i></span>`;
}

function share(count: number, whole: number): string {
  const percent = (100 * count) / whole;
  return `${percent >= 10 ? percent.toFixed(0) : percent.toFixed(2)} %`;
}

function total(stages: readonly ReportStage[]): number {
  return stages.reduce((sum, stage) => sum + stage.ms, 0);
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (character) => entities[character]!);
}
