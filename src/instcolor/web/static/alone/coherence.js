// Regions of a photo that decide together what color they have; see `coherence` in Python.

import { COHERENCE } from "./numbers.js";
import { enlarge, plane, resize } from "./planes.js";

const { share: SHARE, regions: REGIONS, rounds: ROUNDS, lightness, color, position, object } = COHERENCE;

/** An answer { ab, logits, grid } pooled over regions; `covers` are planes of the logits' grid, 0..1, of its objects. */
export function coherent(answer, L, covers) {
  const [width, height] = answer.grid;
  const ab = answer.ab.map((one) => resize(one, width, height).data);
  const share = regions(features(resize(L, width, height), ab, covers), width * height);
  const change = ab.map((own) => {
    const together = pooled(own, share);
    return plane(width, height, together.map((v, i) => v - own[i]));
  });
  const logits = new Float32Array(answer.logits.length);
  for (let at = 0; at < logits.length; at += width * height) {
    logits.set(pooled(answer.logits.subarray(at, at + width * height), share), at);
  }
  const moved = answer.ab.map((own, channel) => {
    const { data } = enlarge(change[channel], own.width, own.height);
    return plane(own.width, own.height, own.data.map((v, i) => v + data[i]));
  });
  return { ab: moved, logits, grid: answer.grid };
}

/** Planes in which two places are the further apart the less they belong together. */
function features({ width, height, data }, ab, covers) {
  const step = position / Math.max(width, height);
  return [
    data.map((v) => v / lightness),
    ...ab.map((one) => one.map((v) => v / color)),
    data.map((_, i) => Math.floor(i / width) * step),
    data.map((_, i) => (i % width) * step),
    ...covers.map((one) => one.data.map((v) => v * object)),
  ];
}

/** For each region how far each place belongs to it; at every place they sum to 1. */
function regions(planes, count) {
  const centers = [planes.map((one) => one.reduce((sum, v) => sum + v, 0) / count)];
  let nearest = distances(planes, centers[0]);
  while (centers.length < REGIONS) { // what is furthest from all others begins a region
    centers.push(planes.map((one) => one[indexOfMost(nearest)]));
    const more = distances(planes, centers.at(-1));
    nearest = nearest.map((v, i) => Math.min(v, more[i]));
  }
  for (let round = 0; round < ROUNDS; round++) {
    const all = centers.map((center) => distances(planes, center));
    const own = new Uint8Array(count);
    for (let i = 0; i < count; i++) for (let r = 1; r < REGIONS; r++) if (all[r][i] < all[own[i]][i]) own[i] = r;
    centers.forEach((center, r) => {
      const members = own.reduce((sum, one) => sum + Number(one === r), 0);
      if (!members) return;
      planes.forEach((one, k) => (center[k] = one.reduce((sum, v, i) => (own[i] === r ? sum + v : sum), 0) / members));
    });
  }
  return shares(centers.map((center) => distances(planes, center)), count);
}

function shares(all, count) {
  const found = all.map(() => new Float32Array(count));
  for (let i = 0; i < count; i++) {
    const least = Math.min(...all.map((one) => one[i]));
    let sum = 0;
    all.forEach((one, r) => (sum += found[r][i] = Math.exp(least - one[i])));
    for (const one of found) one[i] /= sum;
  }
  return found;
}

/** Squared distances of all places from a center. */
function distances(planes, center) {
  const found = new Float32Array(planes[0].length);
  planes.forEach((one, k) => {
    for (let i = 0; i < found.length; i++) found[i] += (one[i] - center[k]) ** 2;
  });
  return found;
}

function indexOfMost(values) {
  let most = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[most]) most = i;
  return most;
}

/** A plane, each place partly as its regions are. */
function pooled(values, share) {
  const result = Float32Array.from(values, (v) => (1 - SHARE) * v);
  for (const one of share) {
    let [sum, total] = [0, 0];
    for (let i = 0; i < values.length; i++) {
      sum += values[i] * one[i];
      total += one[i];
    }
    const mean = (SHARE * sum) / Math.max(total, 1e-6);
    for (let i = 0; i < values.length; i++) result[i] += one[i] * mean;
  }
  return result;
}
