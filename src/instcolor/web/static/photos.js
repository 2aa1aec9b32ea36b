// The photos of this page: what is known of each, the queue to the server, undo and redo. Events tell the other modules.

import * as api from "./api.js";
import { TUNING } from "./constants.js";
import { t } from "./words.js";

const AT_ONCE = 3; // photos on their way to the server
const ASK_SECONDS = 4; // how often a photo that takes long is asked after, should an event have been lost

export const photos = [];
export const events = new EventTarget();
const changed = (photo, what = "state") => events.dispatchEvent(new CustomEvent("photo", { detail: { photo, what } }));

let sending = 0;
const line = [];

function create(file, name) {
  const photo = {
    file, name, id: null, status: "queued", sent: 0, problem: null, version: 0, size: null, grid: null, objects: null,
    hints: [], layer: null, code: null, tuning: { ...TUNING }, past: [], future: [], first: null, alternatives: null, seed: 0, waiters: [],
  };
  photos.push(photo);
  changed(photo, "added");
  return photo;
}

export function add(files) {
  for (const file of files) line.push(create(file, file.name || `${t("pasted")}.png`));
  next();
}

/** Photos that the server still has from before the page was loaded again, in the order in which they stood. */
export async function restore() {
  const order = JSON.parse(sessionStorage.getItem("order") ?? "[]");
  const place = ({ id }) => (order.includes(id) ? order.indexOf(id) : order.length);
  const known = await api.mine().catch(() => []);
  for (const state of known.sort((one, other) => place(one) - place(other))) {
    if (!photos.some((photo) => photo.id === state.id)) take(create(null, state.name), state);
  }
}

const remember = () => sessionStorage.setItem("order", JSON.stringify(photos.map(({ id }) => id).filter(Boolean)));

function next() {
  while (sending < AT_ONCE && line.length) {
    sending++;
    submit(line.shift(), null).finally(() => {
      sending--;
      next();
    });
  }
}

/** Sends a photo; with { objects, hints } when it has been worked on before. */
async function submit(photo, request) {
  photo.status = "sending";
  changed(photo);
  try {
    const state = await api.send(photo.file, request, (share) => {
      photo.sent = share;
      changed(photo);
    });
    if (!photos.includes(photo)) return void api.remove(state.id);
    take(photo, state);
  } catch (error) {
    fail(photo, error);
  }
}

/** Sends another file in the place of one that was refused. */
export function replace(photo, file) {
  photo.file = file;
  line.push(photo);
  next();
}

function take(photo, state) {
  photo.id = state.id;
  remember();
  if (state.status === "removed") return;
  photo.status = state.status;
  photo.code = state.problem?.code ?? null;
  photo.problem = state.problem ? api.plain(state.problem.code, state.problem.detail) : null;
  if (state.status === "done" && state.version !== photo.version) {
    Object.assign(photo, { version: state.version, size: state.size, grid: state.grid, layer: state.layer, format: state.format });
    Object.assign(photo, { notes: state.notes, bits: state.bits });
    if (!photo.objects) {
      photo.objects = state.objects.map((object, i) => ({ ...object, key: `${state.id} ${i}`, on: true }));
      photo.first = snapshot(photo);
    }
    outline(photo, state.objects);
    settle(photo);
    changed(photo, "look");
  } else if (state.status === "failed") {
    settle(photo);
  }
  changed(photo);
}

/** Which of the photo's objects the server knows the outlines of. */
function outline(photo, found) {
  const known = new Map(found.map(({ box, outlined }) => [box.map(Math.round).join(), outlined]));
  for (const object of photo.objects) object.outlined = known.get(object.box.map(Math.round).join()) ?? object.outlined ?? false;
}

function fail(photo, error) {
  photo.status = "failed";
  photo.problem = error.message;
  photo.code = error.code ?? null;
  settle(photo);
  changed(photo);
}

const settle = (photo) => photo.waiters.splice(0).forEach((done) => done());
const settled = (photo) => new Promise((done) => photo.waiters.push(done));

export function remove(photo) {
  photos.splice(photos.indexOf(photo), 1);
  remember();
  if (line.includes(photo)) line.splice(line.indexOf(photo), 1);
  if (photo.id) api.remove(photo.id);
  settle(photo);
  changed(photo, "removed");
}

/** Runs `work` with the photo's id; a photo that the server has deleted meanwhile is sent again first. */
export async function withPhoto(photo, work) {
  try {
    return await work(photo.id);
  } catch (error) {
    if (error.status !== 404 || !photo.file) {
      throw error.status === 404 ? new Error(t("gone")) : error;
    }
    photo.version = 0;
    const done = settled(photo);
    await submit(photo, told(photo));
    await done;
    if (photo.status !== "done") throw new Error(photo.problem ?? t("gone"));
    return work(photo.id);
  }
}

/** What the server is told of a photo. A color given to an object goes where the object is now. */
export const told = (photo) => ({
  objects: photo.objects.filter((object) => object.on).map(({ box, label, score }) => ({ box, label, score })),
  hints: photo.hints.map(({ points, color, ab, object, whole, quiet }) => {
    const box = photo.objects.find(({ key }) => key === object)?.box;
    return { points: whole && box ? [] : points, color, ab, box, reach: quiet ? "network" : "edges" };
  }),
});

// objects and hints, with undo

const snapshot = (photo) => JSON.stringify({ objects: photo.objects, hints: photo.hints });

/** Changes objects or hints by `work()` and has the photo colored again. */
export function edit(photo, work) {
  photo.past.push(snapshot(photo));
  photo.future.length = 0;
  work();
  again(photo);
}

export function undo(photo) {
  step(photo, photo.past, photo.future);
}

export function redo(photo) {
  step(photo, photo.future, photo.past);
}

export function reset(photo) {
  if (snapshot(photo) === photo.first) return;
  edit(photo, () => Object.assign(photo, JSON.parse(photo.first)));
}

function step(photo, from, to) {
  if (!from.length) return;
  to.push(snapshot(photo));
  Object.assign(photo, JSON.parse(from.pop()));
  again(photo);
}

function again(photo) {
  changed(photo, "edit");
  clearTimeout(photo.timer);
  photo.timer = setTimeout(async () => {
    try {
      photo.status = "waiting";
      changed(photo);
      await withPhoto(photo, (id) => api.look(id, told(photo)));
    } catch (error) {
      fail(photo, error);
    }
  }, 150);
}

api.listen((state) => {
  const photo = photos.find((one) => one.id === state.id);
  if (photo) take(photo, state);
});

setInterval(() => {
  for (const photo of photos) {
    if (photo.id && !["done", "failed", "sending", "queued"].includes(photo.status)) {
      api.state(photo.id).then((state) => take(photo, state)).catch((error) => {
        if (error.status === 404) fail(photo, new Error(t("gone")));
      });
    }
  }
}, ASK_SECONDS * 1000);
