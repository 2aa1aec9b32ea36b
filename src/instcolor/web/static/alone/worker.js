// Answers what `api.js` asks, one thing after the other: reads photos, runs the networks, paints.

import { anchors, planesOf, suggest } from "./answers.js";
import { coherent } from "./coherence.js";
import { detect } from "./detector.js";
import { heads } from "./faces.js";
import { zip } from "./files.js";
import { overObject, prepare } from "./inputs.js";
import { abOf } from "./light.js";
import { coverage, outlined } from "./masks.js";
import * as networks from "./networks.js";
import { SAME_OBJECT } from "./numbers.js";
import { iou, select } from "./objects.js";
import { gray, paint, read } from "./pictures.js";
import { bytesOf, objectLayer, over, spotLayer } from "./regions.js";

const KEPT = 8; // photos whose answers stay in memory; those of others are made again when asked for
const ENDINGS = { JPEG: "jpg", PNG: "png" };
const photos = new Map();
let open = null; // the photo whose lightness is in memory

const stateOf = ({ id, name, status, version, problem, facts }) => ({ id, name, status, version, problem, ...facts });

function tell(photo, status) {
  photo.status = status;
  postMessage({ state: stateOf(photo) });
}

/** The photo's lightness and opacity. */
async function opened(photo) {
  if (open?.photo !== photo) open = { photo, pixels: await read(photo.file) };
  return open.pixels;
}

/** Colors a photo as it is asked for now, and says how far it is. */
async function look(photo) {
  try {
    photo.problem = null;
    await compute(photo, (status) => tell(photo, status));
    photo.version++;
    tell(photo, "done");
  } catch (error) {
    photo.problem = problem(error);
    tell(photo, "failed");
  }
}

/** Runs detector and networks; keeps what the page paints with. */
async function compute(photo, told) {
  told("reading");
  const { L, alpha } = await opened(photo);
  const size = [L.width, L.height];
  photo.gray ??= await gray(L);
  told("objects");
  const objects = await outlined(L, wanted(photo, size) ?? select(await found(L), size));
  for (const { box, mask } of objects) photo.outlines.set(String(box), mask);
  told("coloring");
  const hints = (photo.request?.hints ?? []).map((hint) => ({ ...hint, ab: hint.ab ?? abOf(hint.color) }));
  photo.look = await looked(L, objects, hints);
  remember(photo);
  const { styles: [[{ width, height }]], layer } = photo.look;
  photo.facts = {
    size, grid: [height, width], bits: 8, notes: [],
    objects: objects.map(({ box, label, score }) => ({ box, label, score, outlined: true })),
    format: alpha || (await photo.file.slice(1, 4).text()) === "PNG" ? "PNG" : "JPEG",
    layer: layer && [layer.height, layer.width],
  };
}

const found = async (L) => [...(await detect(L)), ...(await heads(L))];

/** The objects that a person has chosen, with the outlines that are known; null where nobody has. */
function wanted(photo, size) {
  const given = photo.request?.objects;
  return given && select(given, size, { least: 0, overlap: 1 }).map((one) => ({ ...one, mask: photo.outlines.get(String(one.box)) }));
}

/** What the networks say of a photo with these objects and hints, as it is painted with. */
async function looked(L, objects, hints) {
  const told = hints.filter(({ reach }) => reach !== "edges").flatMap(points);
  const answer = await networks.answer(prepare(L, objects, told));
  const covers = objects.map(({ mask }) => coverage(mask, [0, 0, L.width, L.height], ...answer.grid));
  const styles = anchors(answer, coherent(answer, L, covers));
  return { answer, styles, planes: planesOf(answer, styles), layer: layers(L, objects, hints) };
}

function remember(photo) {
  photos.delete(photo.id); // the last one of the map was used last
  photos.set(photo.id, photo);
  for (const old of [...photos.values()].filter((one) => one.look).slice(0, -KEPT)) old.look = null;
}

const problem = (error) => ({ code: error.code ?? (error instanceof RangeError ? "no_memory" : "other"), detail: String(error.message ?? error) });

/** What the networks are told: points of a hint, or over its box. */
const points = ({ points: given, box, ab }) => [...(box ? overObject(box, ab) : []), ...given.map(([x, y]) => [x, y, ...ab])];

/** The colors that stay in objects and at spots, one over the other; null without any. */
function layers(L, objects, hints) {
  return hints.filter(({ reach }) => reach === "edges").reduce((lower, { points: given, box, ab }) => {
    const object = box ? objectAt(objects, box) : null;
    const upper = given.length ? spotLayer(L, given, ab, object) : objectLayer(L, object, ab);
    return lower ? over(upper, lower) : upper;
  }, null);
}

/** The object that a hint's box means; one without an outline where there is none. */
function objectAt(objects, box) {
  const [best] = [...objects].sort((one, other) => iou(other.box, box) - iou(one.box, box));
  return best && iou(best.box, box) >= SAME_OBJECT ? best : { box };
}

/** A photo with what the networks say of it, which may have been forgotten. */
async function known(id) {
  const photo = photos.get(id);
  if (!photo) throw Object.assign(new Error(), { code: "gone" });
  if (!photo.look && photo.version) await compute(photo, () => {});
  return photo;
}

async function result({ id, ...options }) {
  const photo = await known(id);
  const format = options.format ?? photo.facts.format;
  const { xmp } = await networks.manifest;
  return [photo, format, await paint(await opened(photo), photo.look, { ...options, format }, xmp)];
}

const DO = {
  async look({ id, request }) {
    const photo = await known(id);
    photo.request = request;
    await look(photo);
  },
  state: async ({ id }) => stateOf(await known(id)),
  async remove({ id }) {
    if (open?.photo.id === id) open = null;
    photos.delete(id);
  },
  planes: async ({ id }) => (await known(id)).look.planes,
  layer: async ({ id }) => bytesOf((await known(id)).look.layer),
  gray: async ({ id }) => (await known(id)).gray,
  result: async (asked) => (await result(asked))[2],
  async archive({ photos: chosen }) {
    const files = [];
    for (const one of chosen) {
      const [photo, format, blob] = await result(one);
      files.push([`${photo.name.replace(/\.[^.]+$/, "")}-color.${ENDINGS[format]}`, blob]);
    }
    return zip(files);
  },
  async colors({ id, x, y, box }) {
    const photo = await known(id);
    return suggest(photo.look.answer, photo.facts.size, box ?? [x, y, x, y]);
  },
};

let before = Promise.resolve();
onmessage = ({ data: { number, ask, ...given } }) => {
  const failed = (error) => postMessage({ number, failed: problem(error) });
  if (ask === "load") { // does not wait in line
    return networks.load((share) => postMessage({ number, share })).then(() => postMessage({ number, done: null }), failed);
  }
  if (ask === "take") { // known at once, so that it can be asked after; colored in turn
    const photo = { ...given, name: given.file.name, status: "waiting", version: 0, facts: {}, outlines: new Map() };
    photos.set(photo.id, photo);
    before = before.then(() => photos.has(photo.id) && look(photo));
    return postMessage({ number, done: stateOf(photo) });
  }
  before = before.then(() => DO[ask](given)).then((done) => postMessage({ number, done }), failed);
};
