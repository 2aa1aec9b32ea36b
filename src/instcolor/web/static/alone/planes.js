// Planes { width, height, data: Float32Array } and how they change size: the ways of the Python package, number by number.

import { centers } from "../painter.js";

export const plane = (width, height, data = new Float32Array(width * height)) => ({ width, height, data });

/** Half to even, as Python rounds. */
export function round(value) {
  const low = Math.floor(value);
  if (value - low !== 0.5) return Math.round(value);
  return low % 2 ? low + 1 : low;
}

/** Bilinear, over the area of a new cell where that is larger: for each of `count` cells over start..end the first given one and weights. */
function triangle(given, start, end, count) {
  const scale = (end - start) / count;
  const support = Math.max(1, scale);
  return Array.from({ length: count }, (_, i) => {
    const center = start + (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5));
    const last = Math.min(given, Math.trunc(center + support + 0.5));
    const weights = Float64Array.from({ length: last - first }, (_, k) =>
      Math.max(0, 1 - Math.abs((k + first - center + 0.5) / support)));
    const sum = weights.reduce((a, b) => a + b, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

/** A plane, or its box [x0, y0, x1, y1], at another size; Pillow's bilinear filter. */
export function resize({ width: across, height: down, data }, width, height, box = [0, 0, across, down]) {
  const [x0, y0, x1, y1] = box;
  const [left, top] = [Math.floor(x0), Math.floor(y0)];
  const [right, bottom] = [Math.ceil(x1), Math.ceil(y1)];
  const columns = triangle(right - left, x0 - left, x1 - left, width);
  const rows = triangle(bottom - top, y0 - top, y1 - top, height);
  const narrow = new Float32Array(width * (bottom - top));
  for (let y = 0, at = 0; y < bottom - top; y++) {
    const row = (top + y) * across + left;
    for (let x = 0; x < width; x++, at++) {
      const { first, weights } = columns[x];
      let sum = 0;
      for (let k = 0, from = row + first; k < weights.length; k++) sum += data[from + k] * weights[k];
      narrow[at] = sum;
    }
  }
  const result = plane(width, height);
  const sums = new Float64Array(width);
  rows.forEach(({ first, weights }, y) => {
    sums.fill(0);
    for (let k = 0; k < weights.length; k++) {
      const row = (first + k) * width;
      for (let x = 0; x < width; x++) sums[x] += narrow[row + x] * weights[k];
    }
    result.data.set(sums, y * width);
  });
  return result;
}

/** Means of blocks of across x down cells, the last ones smaller. */
export function reduce({ width, height, data }, across, down) {
  const result = plane(Math.ceil(width / across), Math.ceil(height / down));
  for (let r = 0, at = 0; r < result.height; r++) {
    const bottom = Math.min(height, (r + 1) * down);
    for (let c = 0; c < result.width; c++, at++) {
      const right = Math.min(width, (c + 1) * across);
      let sum = 0;
      for (let y = r * down; y < bottom; y++) for (let x = c * across; x < right; x++) sum += data[y * width + x];
      result.data[at] = sum / ((bottom - r * down) * (right - c * across));
    }
  }
  return result;
}

/** A plane over the whole photo enlarged bilinearly, averaged first where it has more cells than there will be. */
export function enlarge(given, width, height) {
  const grid = [Math.min(given.width, width), Math.min(given.height, height)];
  const { width: cells, height: lines, data } =
    grid[0] === given.width && grid[1] === given.height ? given : resize(given, ...grid);
  const result = plane(width, height);
  const [x, xShare] = centers(width, cells);
  const [y, yShare] = centers(height, lines);
  for (let r = 0, at = 0; r < height; r++) {
    const upper = y[r] * cells;
    const lower = Math.min(y[r] + 1, lines - 1) * cells;
    for (let c = 0; c < width; c++, at++) {
      const next = Math.min(x[c] + 1, cells - 1);
      const one = data[upper + x[c]] + (data[upper + next] - data[upper + x[c]]) * xShare[c];
      const other = data[lower + x[c]] + (data[lower + next] - data[lower + x[c]]) * xShare[c];
      result.data[at] = one + (other - one) * yShare[r];
    }
  }
  return result;
}

/** Sums over windows of 2 radius + 1 cells a side as means, the border repeated. */
export function mean({ width, height, data }, radius) {
  const side = 2 * radius + 1;
  const pass = (from, length, count, along, across) => {
    const into = new Float64Array(from.length);
    for (let line = 0; line < count; line++) {
      const at = (i) => from[line * across + Math.min(length - 1, Math.max(0, i)) * along];
      let sum = 0;
      for (let i = -radius; i <= radius; i++) sum += at(i);
      for (let i = 0; i < length; i++) {
        into[line * across + i * along] = sum / side;
        sum += at(i + radius + 1) - at(i - radius);
      }
    }
    return into;
  };
  return { width, height, data: pass(pass(data, height, width, width, 1), width, height, 1, width) };
}

/** What a mask { box, width, height, data } over its box has in the cells of a grid over another box; 0 beside its own. */
export function spread(mask, box, width, height) {
  const rows = shares(mask.box[1], mask.box[3], mask.height, box[1], box[3], height);
  const columns = shares(mask.box[0], mask.box[2], mask.width, box[0], box[2], width);
  const wide = new Float32Array(mask.height * width);
  for (let r = 0; r < mask.height; r++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let c = 0; c < mask.width; c++) sum += mask.data[r * mask.width + c] * columns[x * mask.width + c];
      wide[r * width + x] = sum;
    }
  }
  const result = plane(width, height);
  for (let y = 0; y < height; y++) {
    for (let r = 0; r < mask.height; r++) {
      const share = rows[y * mask.height + r];
      if (share) for (let x = 0; x < width; x++) result.data[y * width + x] += share * wide[r * width + x];
    }
  }
  return result;
}

function shares(start, end, given, first, last, cells) {
  const weights = new Float32Array(cells * given);
  const width = Math.max(1, (((last - first) / cells) * given) / (end - start));
  for (let i = 0; i < cells; i++) {
    const center = first + (i + 0.5) * ((last - first) / cells);
    if (center < start || center >= end) continue;
    const source = Math.min(given - 1, Math.max(0, (center - start) * (given / (end - start)) - 0.5));
    let sum = 0;
    for (let k = 0; k < given; k++) sum += weights[i * given + k] = Math.max(0, 1 - Math.abs(source - k) / width);
    for (let k = 0; k < given; k++) weights[i * given + k] /= sum;
  }
  return weights;
}
