/** Statistics of velocity maps, for the report and for the tests (types in the .d.mts beside). */

const SIZE = 70;

export function labelStatistics(maps) {
  return moments(maps, 0, SIZE * SIZE);
}

export function rowStatistics(maps, row) {
  return moments(maps, row * SIZE, (row + 1) * SIZE);
}

export function layerStatistics(maps) {
  const shares = new Array(12).fill(0);
  let thickness = 0;
  let interiors = 0;
  for (const map of maps) {
    const tops = [];
    for (let row = 1; row < SIZE; row++) {
      if (map[row * SIZE] !== map[(row - 1) * SIZE]) tops.push(row);
    }
    shares[tops.length + 1] += 1 / maps.length;
    if (tops.length > 1) {
      thickness += tops.at(-1) - tops[0];
      interiors += tops.length - 1;
    }
  }
  return { shares, thickness: thickness / interiors };
}

export function curveStatistics(maps) {
  const curves = maps.map(mapCurve).filter((curve) => curve !== undefined);
  const heights = curves.map((curve) => Math.max(...curve) - Math.min(...curve));
  heights.sort((a, b) => a - b);
  const percentile = (share) => heights[Math.floor(share * (heights.length - 1))];
  const covariance = covarianceOf(curves);
  return {
    share: curves.length / maps.length,
    height: [percentile(0.05), percentile(0.5), percentile(0.95)],
    deviation: covariance.map((row, i) => Math.sqrt(row[i])),
    components: eigenvalues(covariance).map((value) => Math.sqrt(Math.max(0, value))),
  };
}

function moments(maps, from, to) {
  let sum = 0;
  let squares = 0;
  for (const map of maps) {
    for (let i = from; i < to; i++) {
      sum += map[i];
      squares += map[i] * map[i];
    }
  }
  const count = maps.length * (to - from);
  const mean = sum / count;
  return { mean, std: Math.sqrt(squares / count - mean * mean) };
}

/** Mean shape of the interfaces that stay inside the map, its own mean taken off. */
function mapCurve(map) {
  const velocities = [...new Set(map)].sort((a, b) => a - b).slice(0, -1);
  const curve = new Array(SIZE).fill(0);
  let whole = 0;
  for (const velocity of velocities) {
    const depths = interfaceBelow(map, velocity);
    if (Math.min(...depths) === 0 || Math.max(...depths) === SIZE) continue;
    const mean = depths.reduce((a, b) => a + b, 0) / SIZE;
    for (let x = 0; x < SIZE; x++) curve[x] += depths[x] - mean;
    whole++;
  }
  return whole > 0 ? curve.map((depth) => depth / whole) : undefined;
}

/** Per column, the number of cells that are not faster than `velocity`. */
function interfaceBelow(map, velocity) {
  const depths = new Array(SIZE).fill(0);
  for (let i = 0; i < SIZE * SIZE; i++) if (map[i] <= velocity) depths[i % SIZE]++;
  return depths;
}

function covarianceOf(vectors) {
  const size = vectors[0].length;
  const mean = new Array(size).fill(0);
  for (const vector of vectors) {
    for (let i = 0; i < size; i++) mean[i] += vector[i] / vectors.length;
  }
  const covariance = Array.from({ length: size }, () => new Array(size).fill(0));
  for (const vector of vectors) {
    const d = vector.map((v, i) => v - mean[i]);
    for (let i = 0; i < size; i++) {
      for (let j = 0; j <= i; j++) covariance[i][j] += (d[i] * d[j]) / vectors.length;
    }
  }
  for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) covariance[j][i] = covariance[i][j];
  return covariance;
}

/** Eigenvalues of a symmetric matrix, largest first: cyclic Jacobi rotations until diagonal. */
function eigenvalues(symmetric) {
  const a = symmetric.map((row) => [...row]);
  const n = a.length;
  for (let sweep = 0; sweep < 12; sweep++) {
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, p, q);
  }
  return a.map((row, i) => row[i]).sort((x, y) => y - x);
}

/** Zeroes a[p][q] by a rotation in the plane of axes p and q. */
function rotate(a, p, q) {
  if (Math.abs(a[p][q]) < 1e-12) return;
  const theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let k = 0; k < a.length; k++) {
    const [x, y] = [a[k][p], a[k][q]];
    a[k][p] = c * x - s * y;
    a[k][q] = s * x + c * y;
  }
  for (let k = 0; k < a.length; k++) {
    const [x, y] = [a[p][k], a[q][k]];
    a[p][k] = c * x - s * y;
    a[q][k] = s * x + c * y;
  }
}
