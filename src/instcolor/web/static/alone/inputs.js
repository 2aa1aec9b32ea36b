// What the color networks take: the photo at its working size, a crop of each object, and the hints of a person on both.

import { coverage, doubt } from "./masks.js";
import { COVERAGE, INPUTS, SUGGEST } from "./numbers.js";
import { plane, resize, round } from "./planes.js";

const { side, square, multiple, surroundings, patch } = INPUTS;
const { cells: CELLS, sure, unsure, doubt: [doubtFrom, doubtTo] } = COVERAGE;

/** [width, height] of the network's picture of a photo: about `side` squared pixels. */
export function workingSize([width, height]) {
  const scale = side / Math.sqrt(width * height);
  return [width, height].map((length) => {
    const scaled = Math.min(Math.max(length * scale, side / 2), side * 2);
    return Math.max(multiple, round(scaled / multiple) * multiple);
  });
}

/** Inputs of the networks by name, [data, shape] each: { photo, objects, places }. Points are [x, y, a, b] in the photo's pixels. */
export function prepare(L, objects, points) {
  const size = [L.width, L.height];
  const [width, height] = workingSize(size);
  const count = objects.length;
  const boxes = objects.map(({ box }) => box.map(Math.fround));
  const crops = boxes.map((box) => cropOf(box, size));
  const shares = (given) => [Float32Array.from(given.flatMap((box) => box.map((v, i) => v / size[i % 2]))), [count, 4]];
  const cut = (region) => [resize(L, square, square, region), ...drawn(points, region, square, square)];
  return {
    photo: canvas([[resize(L, width, height), ...drawn(points, [0, 0, ...size], width, height)]], width, height),
    objects: canvas(crops.map(cut), square, square),
    places: {
      crop: shares(crops),
      box: shares(boxes),
      pixels: [Float32Array.from(crops.flatMap(([x0, y0, x1, y1]) => [Math.log2(x1 - x0), Math.log2(y1 - y0)])), [count, 2]],
      coverage: covers(objects, boxes, crops, size),
    },
  };
}

function cropOf(box, size) {
  const grow = [0, 1].map((i) => Math.fround(surroundings * Math.fround(box[2 + i] - box[i])));
  const start = [0, 1].map((i) => Math.min(Math.max(Math.floor(box[i] - grow[i]), 0), size[i] - 1));
  const end = [0, 1].map((i) => Math.min(Math.max(Math.ceil(box[2 + i] + grow[i]), start[i] + 1), size[i]));
  return [...start, ...end];
}

/** Pictures of four planes (L, a, b, mask) as the inputs L, hint_ab and hint_mask. */
function canvas(pictures, width, height) {
  const cells = width * height;
  const stack = (from, to) => {
    const data = new Float32Array(pictures.length * (to - from) * cells);
    pictures.forEach((planes, n) => planes.slice(from, to).forEach((one, c) => data.set(one.data, (n * (to - from) + c) * cells)));
    return [data, [pictures.length, to - from, height, width]];
  };
  return { L: stack(0, 1), hint_ab: stack(1, 3), hint_mask: stack(3, 4) };
}

/** How far each cell of a crop is the object's; nothing outside its box, and less towards the edges of it. */
function covers(objects, boxes, crops, size) {
  const data = new Float32Array(objects.length * CELLS * CELLS);
  objects.forEach(({ mask }, n) => {
    const margin = mask ? sure + (unsure - sure) * between(doubt(mask), doubtFrom, doubtTo) : unsure;
    const known = mask ? coverage(mask, crops[n], CELLS, CELLS).data : new Float32Array(CELLS * CELLS).fill(1);
    const [across, down] = [0, 1].map((i) => ramp(crops[n], boxes[n], i, size[i], margin));
    data.set(known.map((v, i) => v * across[i % CELLS] * down[Math.floor(i / CELLS)]), n * CELLS * CELLS);
  });
  return [data, [objects.length, 1, CELLS, CELLS]];
}

const between = (v, from, to) => Math.min(1, Math.max(0, (v - from) / (to - from)));

/** Along one axis: 0 from the box's edges outwards, 1 from the margin inwards. An edge of the photo takes nothing away. */
function ramp(crop, box, i, limit, margin) {
  const [start, end] = [box[i], box[2 + i]];
  return Float64Array.from({ length: CELLS }, (_, cell) => {
    const center = crop[i] + (cell + 0.5) * ((crop[2 + i] - crop[i]) / CELLS);
    const low = start <= 0 ? 1 : (center - start) / (margin * (end - start));
    const high = end >= limit ? 1 : (end - center) / (margin * (end - start));
    return Math.min(1, Math.max(0, Math.min(low, high)));
  });
}

const half = Math.floor(patch / 2);
const OFFSETS = Array.from({ length: patch * patch }, (_, i) => [Math.floor(i / patch) - half, (i % patch) - half])
  .sort((one, other) => other[0] ** 2 + other[1] ** 2 - one[0] ** 2 - one[1] ** 2);

/** Planes a, b and mask of the hints in a region: a patch for each, cells take the nearest point, points of one cell their mean. */
function drawn(points, [x0, y0, x1, y1], width, height) {
  const planes = [plane(width, height), plane(width, height), plane(width, height)];
  const cells = new Map();
  for (const [px, py, a, b] of points) {
    const [x, y] = [((px - x0) / (x1 - x0)) * width, ((py - y0) / (y1 - y0)) * height];
    if (x < 0 || x >= width || y < 0 || y >= height) continue;
    const key = Math.trunc(y) * width + Math.trunc(x);
    const cell = cells.get(key) ?? [0, 0, 0];
    cells.set(key, [cell[0] + a, cell[1] + b, cell[2] + 1]);
  }
  const sorted = [...cells].sort(([one], [other]) => one - other);
  for (const [down, across] of OFFSETS) {
    for (const [key, [a, b, count]] of sorted) {
      const [y, x] = [Math.floor(key / width) + down, (key % width) + across];
      if (x < 0 || x >= width || y < 0 || y >= height) continue;
      [a / count, b / count, 1].forEach((value, i) => (planes[i].data[y * width + x] = value));
    }
  }
  return planes;
}

/** Points of one color over the middle of a box. */
export function overObject([x0, y0, x1, y1], [a, b]) {
  const at = (low, high, i) => (low + high) / 2 + ((high - low) / 2) * SUGGEST.middle * ((2 * i) / (SUGGEST.points - 1) - 1);
  return Array.from({ length: SUGGEST.points ** 2 }, (_, i) =>
    [at(x0, x1, i % SUGGEST.points), at(y0, y1, Math.floor(i / SUGGEST.points)), a, b]);
}
