// Heads: where a face is, and the hair and chin around it; see `detectors.faces` in Python.

import { grayOf } from "./light.js";
import { run } from "./networks.js";
import { FACES } from "./numbers.js";
import { best, clip } from "./objects.js";
import { resize, round } from "./planes.js";

const { side, multiple, strides, threshold, overlap, beside, above, below, label } = FACES;
const LARGEST = 8; // logarithm of a box's side in strides

/** The heads { box, label, score } of a photo, the best first. */
export async function heads(L) {
  const size = [L.width, L.height];
  const scale = Math.min(1, side / Math.max(...size));
  const shown = size.map((length) => Math.max(1, round(length * scale)));
  const seen = shown.map((length) => Math.ceil(length / multiple) * multiple);
  const answers = await run("faces", { input: [picture(resize(L, ...shown), seen), [1, 3, seen[1], seen[0]]] });
  const found = strides.flatMap((stride) => read(answers, stride, seen[0] / stride, size.map((v, i) => v / shown[i])));
  return best(found, size, overlap).map(({ box, score }) => ({ box: head(box, size), label, score }));
}

/** Three channels of gray values; black below and to the right of the photo. */
function picture({ width, height, data }, [across, down]) {
  const cells = across * down;
  const values = new Float32Array(3 * cells);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) values[y * across + x] = grayOf(data[y * width + x]);
  }
  values.copyWithin(cells, 0, cells);
  values.copyWithin(2 * cells, 0, cells);
  return values;
}

function read(answers, stride, columns, scale) {
  const [kinds, there, boxes] = ["cls", "obj", "bbox"].map((name) => answers[`${name}_${stride}`].data);
  const found = [];
  for (let i = 0; i < kinds.length; i++) {
    const score = Math.sqrt(share(kinds[i]) * share(there[i]));
    if (score < threshold) continue;
    const middle = [i % columns, Math.floor(i / columns)].map((v, k) => (v + boxes[4 * i + k]) * stride);
    const half = [2, 3].map((k) => (Math.exp(Math.min(LARGEST, boxes[4 * i + k])) * stride) / 2);
    const box = [-1, 1].flatMap((sign) => middle.map((v, k) => Math.fround((v + sign * half[k]) * scale[k])));
    found.push({ box, kind: 0, score });
  }
  return found;
}

const share = (v) => Math.min(1, Math.max(0, v));

function head(face, size) {
  const [x0, y0, x1, y1] = face;
  const [width, height] = [x1 - x0, y1 - y0];
  return clip([x0 - beside * width, y0 - above * height, x1 + beside * width, y1 + below * height], size) ?? face;
}
