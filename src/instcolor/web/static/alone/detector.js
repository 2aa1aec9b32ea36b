// The packaged detector: lightness in, objects out; see `detectors.builtin` in Python.

import { run } from "./networks.js";
import { DETECTOR } from "./numbers.js";
import { best } from "./objects.js";
import { reduce, resize } from "./planes.js";

const { side, strides, classes, bins, slope, offset, threshold, overlap, labels, gap, least } = DETECTOR;

/** The objects { box, label, score } of a photo, the best first. */
export async function detect(L) {
  const { output } = await run("detector", { L: [seen(L).data, [1, 1, side, side]] });
  const found = read(output.data, [L.width / side, L.height / side]);
  return best(found, [L.width, L.height], overlap).map(({ box, kind, score }) => ({ box, label: labels[kind], score }));
}

/** The photo as the network sees it: shrunk in two steps where it is large. */
function seen(L) {
  const [across, down] = [L.width, L.height].map((length) => Math.trunc(length / side / gap) || 1);
  if (across === 1 && down === 1) return resize(L, side, side);
  return resize(reduce(L, across, down), side, side, [0, 0, L.width / across, L.height / down]);
}

/** What is likely enough; boxes in the photo's pixels. */
function read(answer, scale) {
  const found = [];
  const length = classes + 4 * bins;
  let at = 0;
  for (const stride of strides) {
    const cells = Math.ceil(side / stride);
    for (let cell = 0; cell < cells * cells; cell++, at += length) {
      let kind = 0;
      for (let k = 1; k < classes; k++) if (answer[at + k] > answer[at + kind]) kind = k;
      const score = calibrated(answer[at + kind]);
      if (score < threshold) continue;
      const reach = [0, 1, 2, 3].map((edge) => distance(answer, at + classes + edge * bins) * stride);
      const [x, y] = [(cell % cells) * stride, Math.floor(cell / cells) * stride];
      const box = [x - reach[0], y - reach[1], x + reach[2], y + reach[3]].map((v, i) => Math.fround(v * scale[i % 2]));
      found.push({ box, kind, score });
    }
  }
  return found;
}

function calibrated(probability) {
  const p = Math.min(1 - least, Math.max(least, probability));
  return 1 / (1 + Math.exp(-(slope * Math.log(p / (1 - p)) + offset)));
}

/** The mean of a distribution over whole strides. */
function distance(answer, at) {
  let highest = answer[at];
  for (let k = 1; k < bins; k++) highest = Math.max(highest, answer[at + k]);
  let [sum, total] = [0, 0];
  for (let k = 0; k < bins; k++) {
    const weight = Math.exp(answer[at + k] - highest);
    sum += weight;
    total += weight * k;
  }
  return total / sum;
}
