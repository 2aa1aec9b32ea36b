// What the networks said, made to colors: styles, how sure, likely colors of a place. Answers are { ab: [a, b] planes,
// logits: Float32Array (bins, height, width), grid: [width, height] of it }.

import { ANCHORS, PLANE_STEPS } from "../constants.js";
import { BINS, STYLES, SUGGEST } from "./numbers.js";
import { enlarge, plane } from "./planes.js";

const COUNT = BINS.length;
const LARGEST = 32767; // of what the page is sent

/** Calls `work(p, cell)` with the distribution of every cell, softened by a temperature; `p` is used again. */
function eachCell({ logits, grid: [width, height] }, temperature, work, cells = Array.from({ length: width * height }, (_, i) => i)) {
  const all = width * height;
  const p = new Float64Array(COUNT);
  for (const cell of cells) {
    let highest = -Infinity;
    for (let k = 0; k < COUNT; k++) highest = Math.max(highest, logits[k * all + cell]);
    let sum = 0;
    for (let k = 0; k < COUNT; k++) sum += p[k] = Math.exp((logits[k * all + cell] - highest) / temperature);
    for (let k = 0; k < COUNT; k++) p[k] /= sum;
    work(p, cell);
  }
}

/** a and b of each style, in the order of the slider; `coherent` is the answer in which regions decide together. */
export const anchors = (answer, coherent) => STYLES.map((style) => styled(style.coherent ? coherent : answer, style));

function styled(answer, { share, temperature, saturation }) {
  const lively = share > 0 ? annealed(answer, temperature) : answer.ab;
  return answer.ab.map((own, channel) => {
    const { data } = fitted(lively[channel], own);
    return plane(own.width, own.height, own.data.map((v, i) => saturation * ((1 - share) * v + share * data[i])));
  });
}

/** The mean color of the sharpened distribution, on its own grid. */
function annealed(answer, temperature) {
  const mean = [plane(...answer.grid), plane(...answer.grid)];
  eachCell(answer, temperature, (p, cell) => {
    let [a, b] = [0, 0];
    for (let k = 0; k < COUNT; k++) {
      a += p[k] * BINS[k][0];
      b += p[k] * BINS[k][1];
    }
    mean[0].data[cell] = a;
    mean[1].data[cell] = b;
  });
  return mean;
}

const fitted = (small, { width, height }) =>
  (small.width === width && small.height === height ? small : enlarge(small, width, height));

/** 0..1 how sure the distribution is: 1 less its entropy over that of knowing nothing. */
function confidence(answer) {
  const sure = plane(...answer.grid);
  eachCell(answer, 1, (p, cell) => {
    let entropy = 0;
    for (let k = 0; k < COUNT; k++) entropy -= p[k] * Math.log(Math.max(p[k], 1e-12));
    sure.data[cell] = 1 - entropy / Math.log(COUNT);
  });
  return sure;
}

/** Int16Array (rows, columns, 2 anchors + 1) as the page paints with: ab of each style, and the confidence. */
export function planesOf(answer, styles) {
  const [{ width, height }] = answer.ab;
  const sure = fitted(confidence(answer), { width, height });
  const columns = [...styles.flat(), plane(width, height, sure.data.map((v) => 100 * v))];
  const result = new Int16Array(width * height * (2 * ANCHORS + 1));
  columns.forEach(({ data }, c) => data.forEach((v, i) =>
    (result[i * columns.length + c] = Math.min(LARGEST, Math.max(-LARGEST, Math.round(v * PLANE_STEPS))))));
  return result;
}

/** The likeliest colors [a, b, share] over a box of a photo [width, height], no two alike; a spot is a box without extent. */
export function suggest(answer, size, box) {
  const [columns, rows] = [0, 1].map((i) => touched(box[i], box[2 + i], answer.grid[i], size[i]));
  const cells = [];
  const weights = new Map();
  for (let r = 0; r < rows.count; r++) {
    for (let c = 0; c < columns.count; c++) {
      const [x, y] = [((c + 0.5) / columns.count) * 2 - 1, ((r + 0.5) / rows.count) * 2 - 1];
      const cell = (rows.first + r) * answer.grid[0] + columns.first + c;
      cells.push(cell);
      weights.set(cell, Math.max(1 - x * x - y * y, SUGGEST.faintest));
    }
  }
  const left = new Float64Array(COUNT);
  let total = 0;
  eachCell(answer, 1 + SUGGEST.spread, (p, cell) => {
    total += weights.get(cell);
    for (let k = 0; k < COUNT; k++) left[k] += p[k] * weights.get(cell);
  }, cells);
  const found = [];
  while (found.length < SUGGEST.count && left.some((v) => v > 0)) {
    const peak = BINS[left.indexOf(Math.max(...left))];
    let [share, a, b] = [0, 0, 0];
    BINS.forEach((bin, k) => {
      if (Math.hypot(bin[0] - peak[0], bin[1] - peak[1]) >= SUGGEST.apart) return;
      share += left[k];
      a += left[k] * bin[0];
      b += left[k] * bin[1];
      left[k] = 0;
    });
    found.push([a / share, b / share, share / total]);
  }
  return found.sort((one, other) => other[2] - one[2]);
}

/** The cells of a grid that an interval of pixels touches, at least one. */
function touched(start, end, cells, pixels) {
  const first = Math.min(Math.max(Math.trunc((start / pixels) * cells), 0), cells - 1);
  const last = Math.min(Math.max(Math.ceil((end / pixels) * cells), first + 1), cells);
  return { first, count: last - first };
}
