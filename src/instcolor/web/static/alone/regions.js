// A person's color that stays where it belongs: in an object's outline, or where a spot's lightness goes on; see
// `regions` in Python. A layer is { width, height, planes }: share, a* and b* (times the share) of each cell.

import { EDGE_VARIANCE } from "../constants.js";
import { REGIONS } from "./numbers.js";
import { enlarge, mean, plane, resize, round, spread } from "./planes.js";

const { side, share: SHARE, sure, doubted, maskCells, spotSide, near, far, step, noise, within: WITHIN } = REGIONS;

/** The color of a whole object { box, mask? }. */
export function objectLayer(L, object, ab) {
  return layerOf(cover(small(L, side), object, [L.width, L.height]), ab);
}

/** The color of a spot or stroke of points [x, y]; it stays inside the object, where one is given. */
export function spotLayer(L, points, ab, object = null) {
  const size = [L.width, L.height];
  const [coarse, fine] = [small(L, spotSide), small(L, side)];
  const soft = { ...coarse, data: Float32Array.from(mean(coarse, 1).data) }; // grain and weave are no edges
  const away = distance(soft, touched(points, size, coarse));
  const reach = plane(coarse.width, coarse.height, away.map((d) =>
    Math.min(1, Math.max(0, (far - d / (object ? WITHIN : 1)) / (far - near)))));
  const found = guided(enlarge(reach, fine.width, fine.height), fine, Math.ceil(Math.max(fine.width, fine.height) / spotSide));
  if (object) {
    const inside = cover(fine, object, size);
    found.data.forEach((v, i) => (found.data[i] = v * inside.data[i]));
  }
  return layerOf(found, ab);
}

/** Two layers of a photo as one. */
export function over(upper, lower) {
  const [share] = upper.planes;
  return { ...upper, planes: upper.planes.map((one, c) => one.map((v, i) => v + lower.planes[c][i] * (1 - share[i]))) };
}

/** As the page is sent it: Uint8Array of the share times 255, and of a* and b* plus 128. */
export function bytesOf({ planes: [share, a, b] }) {
  const bytes = new Uint8ClampedArray(3 * share.length);
  for (let i = 0; i < share.length; i++) {
    bytes[3 * i] = share[i] * 255;
    bytes[3 * i + 1] = a[i] + 128;
    bytes[3 * i + 2] = b[i] + 128;
  }
  return new Uint8Array(bytes.buffer);
}

function layerOf({ width, height, data }, ab) {
  const share = data.map((v) => v * SHARE);
  return { width, height, planes: [share, ...ab.map((value) => share.map((v) => v * value))] };
}

function small(L, most) {
  const scale = Math.min(1, most / Math.max(L.width, L.height));
  return resize(L, ...[L.width, L.height].map((length) => Math.max(1, round(length * scale))));
}

function cover(guide, { box, mask }, [width, height]) {
  const known = mask ? spread(mask, [0, 0, width, height], guide.width, guide.height) : ellipse(box, [width, height], guide);
  const cell = Math.max(((box[2] - box[0]) / width) * guide.width, ((box[3] - box[1]) / height) * guide.height) / maskCells;
  const refined = guided(known, guide, Math.max(1, Math.ceil(cell)));
  return plane(guide.width, guide.height, refined.data.map((v) => Math.min(1, Math.max(0, (v - doubted) / (sure - doubted)))));
}

/** 1 in the ellipse that touches the sides of a box: what is likely where no outline is known. */
function ellipse([x0, y0, x1, y1], [across, down], { width, height }) {
  const found = plane(width, height);
  for (let r = 0, at = 0; r < height; r++) {
    const y = (((r + 0.5) / height) * down - y0) / (y1 - y0) * 2 - 1;
    for (let c = 0; c < width; c++, at++) {
      const x = (((c + 0.5) / width) * across - x0) / (x1 - x0) * 2 - 1;
      found.data[at] = Number(x * x + y * y <= 1);
    }
  }
  return found;
}

/** The cells that a stroke runs through. */
function touched(points, [across, down], { width, height }) {
  const cells = points.map(([x, y]) => [(x / across) * width, (y / down) * height]);
  const ways = cells.slice(1).flatMap(([x, y], i) => {
    const [u, v] = cells[i];
    const count = Math.ceil(Math.max(Math.abs(x - u), Math.abs(y - v)));
    return Array.from({ length: count }, (_, k) => [u + ((x - u) * k) / count, v + ((y - v) * k) / count]);
  });
  const inside = (v, limit) => Math.min(limit - 1, Math.max(0, Math.trunc(v)));
  return [...new Set([...cells, ...ways].map(([x, y]) => inside(y, height) * width + inside(x, width)))];
}

/** The least sum of changes of lightness on a way from the start, or how much lighter or darker it is there. */
function distance({ width, height, data }, start) {
  const far2 = far * WITHIN;
  const cost = (one, other) => Math.max(Math.abs(data[one] - data[other]) - noise, 0) + step;
  const found = new Float32Array(data.length).fill(Infinity);
  for (const cell of start) found[cell] = 0;
  for (let line = start; line.length;) {
    const next = new Set();
    for (const cell of line) {
      const x = cell % width;
      const beside = [cell - width, cell + width, ...(x ? [cell - 1] : []), ...(x < width - 1 ? [cell + 1] : [])];
      for (const other of beside) {
        if (other < 0 || other >= width * height) continue;
        const way = Math.fround(found[cell] + cost(cell, other));
        if (way < found[other] && way <= far2) {
          found[other] = way;
          next.add(other);
        }
      }
    }
    line = [...next];
  }
  const levels = start.map((cell) => data[cell]).sort((a, b) => a - b);
  const middle = (levels[Math.floor((levels.length - 1) / 2)] + levels[Math.ceil((levels.length - 1) / 2)]) / 2;
  return found.map((way, i) => Math.max(way, Math.abs(data[i] - middle) / 2));
}

/** The guided filter: a plane as a linear function of the guide in every window, averaged over windows. */
function guided(given, guide, radius) {
  const { width, height } = given;
  const wide = (work) => mean({ width, height, data: Float64Array.from(given.data, (v, i) => work(v, guide.data[i])) }, radius).data;
  const own = wide((v) => v);
  const light = wide((_, g) => g);
  const together = wide((v, g) => v * g);
  const squares = wide((_, g) => g * g);
  const slope = own.map((v, i) => (together[i] - v * light[i]) / (squares[i] - light[i] ** 2 + EDGE_VARIANCE / 4));
  const base = own.map((v, i) => v - slope[i] * light[i]);
  const [slopes, bases] = [slope, base].map((data) => mean({ width, height, data }, radius).data);
  return plane(width, height, Float32Array.from(slopes, (v, i) => Math.min(1, Math.max(0, v * guide.data[i] + bases[i]))));
}
