// Boxes (x0, y0, x1, y1 in pixels of the photo), and which of the things found are worth coloring on their own.

import { SELECT } from "./numbers.js";

const area = ([x0, y0, x1, y1]) => (x1 - x0) * (y1 - y0);

function shared(a, b) {
  const [width, height] = [0, 1].map((i) => Math.min(a[2 + i], b[2 + i]) - Math.max(a[i], b[i]));
  return width > 0 && height > 0 ? width * height : 0;
}

/** Of two boxes. */
export const iou = (a, b) => shared(a, b) / (area(a) + area(b) - shared(a, b));

/** The part of a box on a photo [width, height]; null where there is none. */
export function clip(box, [width, height]) {
  if (!box.every(Number.isFinite)) return null;
  const [x0, y0] = [Math.max(box[0], 0), Math.max(box[1], 0)];
  const [x1, y1] = [Math.min(box[2], width), Math.min(box[3], height)];
  return x1 > x0 && y1 > y0 ? [x0, y0, x1, y1] : null;
}

/** Of what a detector says, each thing once, the best first: { box, kind, score } clipped to the photo. */
export function best(found, size, overlap) {
  const kept = [];
  const inside = found.map((one) => ({ ...one, box: clip(one.box, size) })).filter(({ box }) => box);
  for (const one of inside.sort((a, b) => b.score - a.score)) {
    if (kept.every((other) => other.kind !== one.kind || iou(one.box, other.box) <= overlap)) kept.push(one);
  }
  return kept;
}

/** The objects { box, label, score } worth coloring, the best first; see `objects.select` in Python. */
export function select(objects, size, { least = SELECT.area, overlap = SELECT.overlap } = {}) {
  const chosen = [];
  let large = 0;
  for (const object of [...objects].sort((one, other) => other.score - one.score)) {
    const box = clip(object.box, size);
    const share = box ? area(box) / (size[0] * size[1]) : 0;
    const isLarge = share >= SELECT.smallArea;
    if (!box || share < least || chosen.length >= SELECT.withSmall * SELECT.limit || (isLarge && large >= SELECT.limit)) continue;
    if (chosen.some((other) => iou(box, other.box) > overlap)) continue;
    chosen.push({ ...object, box });
    large += isLarge;
  }
  return chosen;
}
