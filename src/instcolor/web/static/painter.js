// Paints a photo at preview size while a slider moves: the small ab planes of the styles are mixed, enlarged along the
// edges of the lightness (as the server's upsampling does at full size) and put together with it.

import { ANCHORS, EDGE_VARIANCE, PLANE_STEPS, WARM } from "./constants.js";
import { LIGHTNESS, pack } from "./lab.js";

const UNIT = 1 / PLANE_STEPS;
const WIDTH = 2 * ANCHORS + 1; // of the planes: ab of each anchor, and the confidence
const SEEN = 0.5; // of a* or b*
const SURE = 0.42;
const GUESS = 0.14;
const VEIL = [128, 128, 134];
const VEIL_MOST = 225; // opacity, of 255, where a color is nothing but a guess

export class Painter {
  /**
   * gray: ImageData of the preview; planes: Int16Array (rows, columns, WIDTH) as /planes sends it; layer: null, or
   * Uint8Array (height, width, 3) as /layer sends it: colors of objects and spots, which lie over the networks'.
   */
  constructor(gray, planes, [rows, columns], layer) {
    this.width = gray.width;
    this.height = gray.height;
    this.rows = rows;
    this.columns = columns;
    this.layer = layer;
    const cells = rows * columns;
    this.anchors = Array.from({ length: 2 * ANCHORS }, (_, k) =>
      Float32Array.from({ length: cells }, (_, i) => planes[i * WIDTH + k] * UNIT));
    this.confidence = Float32Array.from({ length: cells }, (_, i) => (planes[i * WIDTH + 2 * ANCHORS] * UNIT) / 100);
    this.L = new Float32Array(this.width * this.height);
    for (let i = 0; i < this.L.length; i++) this.L[i] = LIGHTNESS[gray.data[4 * i]];
    [this.x, this.xShare] = centers(this.width, columns);
    [this.y, this.yShare] = centers(this.height, rows);
    this.guide = smooth(shrink(this.L, this.width, this.height, columns, rows), columns, rows);
    this.detail = this.#detail();
    this.image = new ImageData(this.width, this.height);
  }

  /** The photo in the colors of a tuning { style, saturation, strength, warmth }. */
  paint({ style, saturation, strength, warmth }) {
    const place = Math.min(Math.max(style, 0), 1) * (ANCHORS - 1);
    const left = Math.min(Math.floor(place), ANCHORS - 2);
    const share = place - left;
    const planes = [];
    for (let channel = 0; channel < 2; channel++) {
      const one = this.anchors[2 * left + channel];
      const other = this.anchors[2 * left + 2 + channel];
      const warm = WARM[channel] * warmth;
      const ab = one.map((v, i) => ((v + (other[i] - v) * share) * saturation + warm) * strength);
      planes.push(ab, slope(ab, this.guide, this.columns, this.rows));
      planes.push(extreme(ab, this.columns, this.rows, Math.min), extreme(ab, this.columns, this.rows, Math.max));
    }
    this.#fill(planes, strength);
    return this.image;
  }

  #fill(planes, strength) {
    const { width, height, columns, x: cells, xShare, detail, L, layer } = this;
    const out = new Uint32Array(this.image.data.buffer);
    const lines = planes.map(() => new Float32Array(columns + 1));
    const [a0, sa, la, ha, b0, sb, lb, hb] = lines;
    let at = 0;
    for (let y = 0; y < height; y++) {
      for (let k = 0; k < 8; k++) line(planes[k], lines[k], columns, this.rows, this.y[y], this.yShare[y]);
      for (let x = 0; x < width; x++, at++) {
        const c = cells[x];
        const t = xShare[x];
        const d = detail[at];
        let a = a0[c] + (a0[c + 1] - a0[c]) * t;
        let b = b0[c] + (b0[c + 1] - b0[c]) * t;
        const da = (sa[c] + (sa[c + 1] - sa[c]) * t) * d;
        const db = (sb[c] + (sb[c + 1] - sb[c]) * t) * d;
        a += da;
        b += db;
        // the colors of the cells around are the limit; a change too small to be seen need not be held to it
        if (da > SEEN || da < -SEEN) a = within(a, la[c] + (la[c + 1] - la[c]) * t, ha[c] + (ha[c + 1] - ha[c]) * t);
        if (db > SEEN || db < -SEEN) b = within(b, lb[c] + (lb[c + 1] - lb[c]) * t, hb[c] + (hb[c + 1] - hb[c]) * t);
        if (layer && layer[3 * at]) {
          const left = 1 - layer[3 * at] / 255;
          a = a * left + (layer[3 * at + 1] - 128) * strength;
          b = b * left + (layer[3 * at + 2] - 128) * strength;
        }
        out[at] = pack(L[at], a, b);
      }
    }
  }

  #detail() {
    const { width, height, columns } = this;
    const detail = new Float32Array(width * height);
    const row = new Float32Array(columns + 1);
    let at = 0;
    for (let y = 0; y < height; y++) {
      line(this.guide, row, columns, this.rows, this.y[y], this.yShare[y]);
      for (let x = 0; x < width; x++, at++) {
        const c = this.x[x];
        detail[at] = this.L[at] - (row[c] + (row[c + 1] - row[c]) * this.xShare[x]);
      }
    }
    return detail;
  }

  /** L* at a place given in shares of the photo. */
  lightnessAt(x, y) {
    const column = Math.min(this.width - 1, Math.floor(x * this.width));
    return this.L[Math.min(this.height - 1, Math.floor(y * this.height)) * this.width + column];
  }

  /** The less sure, the denser: (rows, columns) of a gray veil to be laid over the photo. */
  doubt() {
    const image = new ImageData(this.columns, this.rows);
    this.confidence.forEach((sure, i) => image.data.set([...VEIL, Math.round(VEIL_MOST * doubtOf(sure))], 4 * i));
    return image;
  }

  /** How much of the photo is more a guess than not, 0..1. */
  guessed() {
    return this.confidence.filter((sure) => doubtOf(sure) > 0.5).length / this.confidence.length;
  }
}

/** 0..1 of a confidence; a tenth of the bundled photos is above SURE, a fiftieth below GUESS. */
const doubtOf = (sure) => Math.min(1, Math.max(0, (SURE - sure) / (SURE - GUESS)));
const within = (value, low, high) => (value < low ? low : value > high ? high : value);

export function centers(count, cells) {
  const cell = new Int32Array(count);
  const share = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const position = Math.min(Math.max(((i + 0.5) * cells) / count - 0.5, 0), cells - 1);
    cell[i] = Math.floor(position);
    share[i] = position - cell[i];
  }
  return [cell, share];
}

/** Row y + share of a plane, its last column repeated once. */
export function line(plane, into, columns, rows, y, share) {
  const first = y * columns;
  const second = Math.min(y + 1, rows - 1) * columns;
  for (let c = 0; c < columns; c++) into[c] = plane[first + c] + (plane[second + c] - plane[first + c]) * share;
  into[columns] = into[columns - 1];
}

function shrink(plane, width, height, columns, rows) {
  const total = new Float32Array(columns * rows);
  for (let r = 0; r < rows; r++) {
    const top = Math.floor((r * height) / rows);
    const bottom = Math.max(top + 1, Math.floor(((r + 1) * height) / rows));
    for (let c = 0; c < columns; c++) {
      const left = Math.floor((c * width) / columns);
      const right = Math.max(left + 1, Math.floor(((c + 1) * width) / columns));
      let sum = 0;
      for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) sum += plane[y * width + x];
      total[r * columns + c] = sum / ((bottom - top) * (right - left));
    }
  }
  return total;
}

/** Runs over a plane row by row, then column by column: `join(one before, the cell, one after)`, the border repeated. */
function passes(plane, columns, rows, join) {
  const across = new Float32Array(plane.length);
  for (let r = 0, i = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++, i++) {
      across[i] = join(plane[c ? i - 1 : i], plane[i], plane[c < columns - 1 ? i + 1 : i]);
    }
  }
  const result = new Float32Array(plane.length);
  for (let r = 0, i = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++, i++) {
      result[i] = join(across[r ? i - columns : i], across[i], across[r < rows - 1 ? i + columns : i]);
    }
  }
  return result;
}

export const smooth = (plane, columns, rows) => passes(plane, columns, rows, (p, q, r) => (p + 2 * q + r) / 4);
const mean = (plane, columns, rows) => passes(plane, columns, rows, (p, q, r) => (p + q + r) / 3);
export const extreme = (plane, columns, rows, choose) => passes(plane, columns, rows, (p, q, r) => choose(p, choose(q, r)));

/** How much a plane changes with the guide around each cell. */
export function slope(plane, guide, columns, rows) {
  const together = plane.map((v, i) => v * guide[i]);
  const [p, g, pg] = [plane, guide, together].map((one) => mean(one, columns, rows));
  const gg = mean(guide.map((v) => v * v), columns, rows);
  return mean(p.map((v, i) => (pg[i] - v * g[i]) / (gg[i] - g[i] * g[i] + EDGE_VARIANCE)), columns, rows);
}
