// A photo's colors at full size, a band at a time: the page's way of painting with nothing left out, for files.

import { ANCHORS, WARM } from "../constants.js";
import { pack } from "../lab.js";
import { centers, extreme, line, slope, smooth } from "../painter.js";
import { plane, resize } from "./planes.js";

const STEPS = 10; // of fitting a color into sRGB, as in Python

/**
 * Gives `fill(top, bottom, out)`, which paints these rows into a Uint32Array. `styles` are a and b of each style, `layer`
 * (or null) lies over them, a tuning is { style, saturation, strength, warmth }.
 */
export function painting(L, styles, layer, tuning) {
  const { width, height } = L;
  const planes = tuned(styles, tuning).map((one) => fitted(one, width, height));
  const [{ width: columns, height: rows }] = planes;
  const exact = columns === width && rows === height; // then edges are known as well as they can be
  const guide = smooth(resize(L, columns, rows).data, columns, rows);
  const flat = new Float32Array(columns * rows);
  const color = new Enlarger(columns, rows, width, height, [guide, ...planes.flatMap(({ data }) => [
    data, exact ? flat : slope(data, guide, columns, rows),
    extreme(data, columns, rows, Math.min), extreme(data, columns, rows, Math.max),
  ])]);
  const over = layer && new Enlarger(layer.width, layer.height, width, height, layer.planes);
  return (top, bottom, out) => {
    for (let y = top, at = 0; y < bottom; y++) {
      color.row(y);
      over?.row(y);
      for (let x = 0; x < width; x++, at++) {
        const light = L.data[y * width + x];
        const detail = light - color.at(0, x);
        let a = Math.min(color.at(4, x), Math.max(color.at(3, x), color.at(1, x) + color.at(2, x) * detail));
        let b = Math.min(color.at(8, x), Math.max(color.at(7, x), color.at(5, x) + color.at(6, x) * detail));
        if (over) {
          const left = 1 - over.at(0, x);
          a = a * left + over.at(1, x) * tuning.strength;
          b = b * left + over.at(2, x) * tuning.strength;
        }
        out[at] = pack(light, a, b, STEPS);
      }
    }
  };
}

/** a and b between the styles. */
function tuned(styles, { style, saturation, strength, warmth }) {
  const place = Math.min(Math.max(style, 0), 1) * (ANCHORS - 1);
  const left = Math.min(Math.floor(place), ANCHORS - 2);
  const share = place - left;
  return styles[left].map((one, channel) => {
    const other = styles[left + 1][channel].data;
    const mixed = one.data.map((v, i) => ((v + (other[i] - v) * share) * saturation + WARM[channel] * warmth) * strength);
    return plane(one.width, one.height, mixed);
  });
}

/** Averaged where the photo has fewer pixels than there are cells. */
function fitted(given, width, height) {
  const grid = [Math.min(given.width, width), Math.min(given.height, height)];
  return grid[0] === given.width && grid[1] === given.height ? given : resize(given, ...grid);
}

/** Several planes of one grid enlarged bilinearly, row by row. */
class Enlarger {
  constructor(columns, rows, width, height, planes) {
    Object.assign(this, { columns, rows, planes });
    [this.x, this.xShare] = centers(width, columns);
    [this.y, this.yShare] = centers(height, rows);
    this.lines = planes.map(() => new Float32Array(columns + 1));
  }

  row(y) {
    this.planes.forEach((one, k) => line(one, this.lines[k], this.columns, this.rows, this.y[y], this.yShare[y]));
  }

  /** Plane k in column x of the row. */
  at(k, x) {
    const cells = this.lines[k];
    const c = this.x[x];
    return cells[c] + (cells[c + 1] - cells[c]) * this.xShare[x];
  }
}
