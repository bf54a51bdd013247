import { describe, expect, it } from "vitest";
import { formatBytes, formatCount, formatMs, formatRatio } from "../../src/io/format.ts";
import { type Report, reportHtml } from "../../src/io/report.ts";

const map = new Float32Array(16).fill(2000);
const report: Report = {
  title: "flatvel-a, seed 7 <script>",
  subtitle: 'five devices & "one" central node',
  record: { truth: map, prediction: map, geometry: { map: [4, 4], dxM: 10, dtMs: 1 } },
  scores: { ssim: 0.98765, mae: 0.0123, rmse: 0.02, maeMps: 18.45 },
  stages: [
    { name: "encode", ms: 0.81, note: "slowest of 5 devices" },
    { name: "decode", ms: 4.2 },
  ],
  bytes: { raw: 1_400_000, wire: 6_200, mqtt: 5_800, payload: 5_120 },
  devices: [
    { device: 0, firstReceiver: 0, receivers: 14, present: true, msEncode: 0.8, wireBytes: 1240 },
    { device: 1, firstReceiver: 14, receivers: 14, present: false },
  ],
  facts: [["model", "0123456789abcdef"]],
};

describe("reportHtml", () => {
  const html = reportHtml(report);

  it("asks for nothing from elsewhere", () => {
    expect(html).not.toMatch(/https?:|<script|<link|@import|url\(/);
    expect(html).toContain("default-src 'none'");
    const sources = [...html.matchAll(/src="([^"]{0,30})/g)].map((match) => match[1]);
    expect(sources.length).toBe(3);
    for (const source of sources) expect(source).toMatch(/^data:image\/png;base64,/);
  });

  it("escapes what it was given", () => {
    expect(html).toContain("flatvel-a, seed 7 &lt;script&gt;");
    expect(html).toContain("five devices &amp; &quot;one&quot; central node");
  });

  it("states scores, times and bytes with their units", () => {
    for (const text of [
      "0.9877",
      "18.4 m/s",
      "0.810 ms",
      "5.01 ms",
      "1.40 MB",
      "6,200 B",
      "5,120 B",
      "226x",
      "0.44 %",
    ]) {
      expect(html).toContain(text);
    }
  });

  it("names absent devices", () => {
    expect(html).toContain("<td>14 to 27</td><td><em>absent</em></td>");
  });

  it("leaves out what is not known", () => {
    const { scores: _, devices: __, facts: ___, ...rest } = report;
    const short = reportHtml({ ...rest, bytes: { raw: 10, wire: 5, payload: 2 } });
    for (const text of ["SSIM", "Devices", "This run", "MQTT<"]) expect(short).not.toContain(text);
  });

  it("opens and closes every element", () => {
    for (const tag of ["section", "table", "figure", "div", "dl", "main", "header", "tr"]) {
      const count = (pattern: RegExp) => html.match(pattern)?.length ?? 0;
      expect(count(new RegExp(`<${tag}[ >]`, "g")), tag).toBe(count(new RegExp(`</${tag}>`, "g")));
    }
  });
});

describe("format", () => {
  it("shows three digits and a unit", () => {
    expect(
      [0, 999, 1084, 9999, 10_000, 280_000, 999_600, 1_400_000, 2.5e9].map(formatBytes),
    ).toEqual([
      "0 B",
      "999 B",
      "1,084 B",
      "9,999 B",
      "10.0 kB",
      "280 kB",
      "1.00 MB",
      "1.40 MB",
      "2.50 GB",
    ]);
    expect([0.0004, 0.0412, 0.412, 4.12, 41.2, 412, 4120].map(formatMs)).toEqual([
      "0.000 ms",
      "0.041 ms",
      "0.412 ms",
      "4.12 ms",
      "41.2 ms",
      "412 ms",
      "4.12 s",
    ]);
    expect([1.5, 33.8, 258.4, 1234].map(formatRatio)).toEqual(["1.50x", "33.8x", "258x", "1,234x"]);
    expect(formatCount(1234567)).toBe("1,234,567");
  });
});
