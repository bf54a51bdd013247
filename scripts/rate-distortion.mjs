// The rate-distortion curve as a picture and a table, from what train/rate_distortion.py wrote.

const WIDTH = 640;
const HEIGHT = 400;
const FRAME = { left: 64, right: 20, top: 40, bottom: 56 };
const STYLES = {
  "8 bit": { colour: "#1f5a96", dash: "" },
  "4 bit": { colour: "#b5541c", dash: "7 4" },
  entropy: { colour: "#2e7d4f", dash: "2 3" },
};

/** SVG: mean SSIM over latent bytes per device (logarithmic), one line per encoding. */
export function rateDistortionSvg({ points }) {
  const { x, y, xTicks, yTicks } = axes(points);
  const lines = Object.entries(STYLES).map(([encoding, style]) => {
    const own = points
      .filter((point) => point.encoding === encoding)
      .sort((a, b) => a.bytes - b.bytes);
    const path = own.map(({ bytes, ssim }) => `${x(bytes)},${y(ssim)}`).join(" ");
    const dots = own.map(
      ({ bytes, ssim }) =>
        `<circle cx="${x(bytes)}" cy="${y(ssim)}" r="4" fill="${style.colour}"/>`,
    );
    return `<polyline points="${path}" fill="none" stroke="${style.colour}" stroke-width="2" stroke-dasharray="${style.dash}"/>${dots.join("")}`;
  });
  const legend = Object.entries(STYLES).map(([encoding, { colour, dash }], i) => {
    const at = { x: WIDTH - FRAME.right - 150, y: HEIGHT - FRAME.bottom - 66 + 20 * i };
    return `<line x1="${at.x}" x2="${at.x + 34}" y1="${at.y}" y2="${at.y}" stroke="${colour}" stroke-width="2" stroke-dasharray="${dash}"/>${text(at.x + 42, at.y + 4, encoding === "entropy" ? "4 bit, entropy" : encoding)}`;
  });
  const grid = [
    ...xTicks.map(
      (bytes) =>
        `<line x1="${x(bytes)}" x2="${x(bytes)}" y1="${FRAME.top}" y2="${HEIGHT - FRAME.bottom}" stroke="#e2e5e9"/>${text(x(bytes), HEIGHT - FRAME.bottom + 18, bytes, "middle")}`,
    ),
    ...yTicks.map(
      (ssim) =>
        `<line x1="${FRAME.left}" x2="${WIDTH - FRAME.right}" y1="${y(ssim)}" y2="${y(ssim)}" stroke="#e2e5e9"/>${text(FRAME.left - 8, y(ssim) + 4, ssim.toFixed(2), "end")}`,
    ),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="13" fill="#1c2630" role="img" aria-label="Mean SSIM over latent bytes per device">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>
${grid.join("\n")}
<path d="M${FRAME.left},${FRAME.top}V${HEIGHT - FRAME.bottom}H${WIDTH - FRAME.right}" fill="none" stroke="#1c2630" stroke-width="1.5"/>
${lines.join("\n")}
${legend.join("\n")}
${text(FRAME.left, 22, "Fidelity over latent size")}
${text((FRAME.left + WIDTH - FRAME.right) / 2, HEIGHT - 14, "latent bytes per device and record", "middle")}
<text x="18" y="${(FRAME.top + HEIGHT - FRAME.bottom) / 2}" text-anchor="middle" transform="rotate(-90 18 ${(FRAME.top + HEIGHT - FRAME.bottom) / 2})">mean SSIM, ten families</text>
</svg>
`;
}

/** Rows of [latent values, encoding, bytes, SSIM]. */
export function rateDistortionRows({ points }) {
  return points.map(({ values, encoding, bytes, ssim }) => [
    values,
    encoding,
    Math.round(bytes),
    ssim.toFixed(4),
  ]);
}

function axes(points) {
  const bytes = points.map((point) => point.bytes);
  const ssims = points.map((point) => point.ssim);
  const xTicks = [32, 64, 128, 256, 512, 1024, 2048, 4096].filter(
    (tick) => tick >= Math.min(...bytes) / 2 && tick <= Math.max(...bytes) * 1.5,
  );
  const [low, high] = [
    Math.floor(Math.min(...ssims) * 50) / 50,
    Math.ceil(Math.max(...ssims) * 50) / 50,
  ];
  const yTicks = Array.from({ length: Math.round((high - low) * 50) + 1 }, (_, i) => low + i / 50);
  const [first, last] = [
    Math.log2(Math.min(xTicks[0], ...bytes)),
    Math.log2(Math.max(xTicks.at(-1), ...bytes)),
  ];
  const inner = {
    width: WIDTH - FRAME.left - FRAME.right - 20,
    height: HEIGHT - FRAME.top - FRAME.bottom,
  };
  const x = (value) =>
    round(FRAME.left + 10 + ((Math.log2(value) - first) / (last - first)) * inner.width);
  const y = (value) => round(HEIGHT - FRAME.bottom - ((value - low) / (high - low)) * inner.height);
  return { x, y, xTicks, yTicks };
}

function text(x, y, content, anchor = "start") {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}">${content}</text>`;
}

function round(value) {
  return Math.round(value * 10) / 10;
}
