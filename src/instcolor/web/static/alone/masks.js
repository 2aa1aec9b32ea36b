// Figure and ground: the part of its box that an object fills; see `detectors.masks` in Python. A mask is { box, width,
// height, data }: probabilities over a box of its own.

import { run } from "./networks.js";
import { MASKS } from "./numbers.js";
import { plane, resize, spread } from "./planes.js";

const { side, together, surroundings, outside } = MASKS;

/** The objects of a photo, with a mask each; those that have one keep it. */
export async function outlined(L, objects) {
  const open = objects.filter(({ mask }) => !mask);
  const found = new Map();
  for (let start = 0; start < open.length; start += together) {
    const some = open.slice(start, start + together);
    const regions = some.map(({ box }) => surrounded(box));
    const crops = new Float32Array(some.length * side * side);
    regions.forEach((region, i) => crops.set(crop(L, region).data, i * side * side));
    const { mask } = await run("masks", { L: [crops, [some.length, 1, side, side]] });
    const [, , height, width] = mask.dims;
    some.forEach((object, i) =>
      found.set(object, { box: regions[i], width, height, data: mask.data.slice(i * width * height, (i + 1) * width * height) }));
  }
  return objects.map((object) => (found.has(object) ? { ...object, mask: found.get(object) } : object));
}

/** How far each cell of a grid over a box is the object's: 0 for probabilities up to 1/4, 1 from 3/4. */
export const coverage = (mask, box, width, height) =>
  plane(width, height, spread(mask, box, width, height).data.map((p) => Math.min(1, Math.max(0, 2 * p - 0.5))));

/** 0 where every cell is the object's or is not, 1 where nothing is known. */
export const doubt = ({ data }) => data.reduce((sum, p) => sum + 4 * p * (1 - p), 0) / data.length;

function surrounded([x0, y0, x1, y1]) {
  const [x, y] = [surroundings * (x1 - x0), surroundings * (y1 - y0)];
  return [x0 - x, y0 - y, x1 + x, y1 + y];
}

/** The region at `side` squared pixels. What lies beside the photo is of one middle gray. */
function crop(L, region) {
  const size = [L.width, L.height];
  const [first, last] = [[], []];
  const source = [];
  for (const i of [0, 1]) {
    const [start, end] = [region[i], region[2 + i]];
    const scale = side / (end - start);
    first[i] = Math.min(Math.max(0, Math.ceil(-start * scale - 1e-6)), side - 1);
    last[i] = Math.max(Math.min(side, Math.floor((size[i] - start) * scale + 1e-6)), first[i] + 1);
    source[i] = Math.max(0, start + first[i] / scale);
    source[2 + i] = Math.min(size[i], start + last[i] / scale);
  }
  const part = resize(L, last[0] - first[0], last[1] - first[1], source);
  const whole = plane(side, side);
  whole.data.fill(outside);
  for (let y = 0; y < part.height; y++) {
    whole.data.set(part.data.subarray(y * part.width, (y + 1) * part.width), (first[1] + y) * side + first[0]);
  }
  return whole;
}
