// What the page asks a server for elsewhere, asked of a worker in this browser. The same functions as `../api.js`.

import { Failure, numbers } from "../failure.js";
import { PIXELS } from "./numbers.js";
import { fit } from "./page.js";

export { plain } from "../failure.js";

const MEGA = 1e6;
const ROOT = new URL("../../", import.meta.url);
const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
const waiting = new Map();
const listeners = [];
let count = 0;

worker.onmessage = ({ data: { number, done, share, failed, state } }) => {
  if (state) return listeners.forEach((told) => told(state));
  const { resolve, reject, progress } = waiting.get(number);
  if (share !== undefined) return progress(share);
  waiting.delete(number);
  if (failed) reject(new Failure(failed.code === "gone" ? 404 : 0, failed.code, failed.detail));
  else resolve(done);
};
worker.onerror = ({ message }) => {
  for (const { reject } of waiting.values()) reject(new Failure(0, "other", message ?? ""));
  waiting.clear();
};

const asked = (ask, given = {}, progress = () => {}) => new Promise((resolve, reject) => {
  waiting.set(++count, { resolve, reject, progress });
  worker.postMessage({ number: count, ask, ...given });
});

export async function facts() {
  const { bytes } = await (await fetch(new URL("manifest.json", ROOT))).json();
  Object.assign(numbers, { pixels: PIXELS / MEGA, megabytes: Math.ceil(bytes / MEGA) });
  fit();
  return { detector: true, limits: { pixels: PIXELS }, numbers };
}

/** The networks come first, once; from then on nothing is sent anywhere, a photo least of all. */
export async function send(file, request, progress) {
  await asked("load", {}, progress);
  return asked("take", { id: `photo ${count}`, file, request });
}

export const mine = async () => []; // photos go with the tab
export const listen = (told) => listeners.push(told);
export const state = (id) => asked("state", { id });
export const remove = (id) => asked("remove", { id });
export const look = (id, request) => asked("look", { id, request });
export const planes = (id) => asked("planes", { id });
export const layer = (id) => asked("layer", { id });
export const gray = (id) => asked("gray", { id });
export const result = (id, options) => asked("result", { id, ...options });
export const archive = (photos) => asked("archive", { photos });
export const colors = (id, where) => asked("colors", { id, ...where });
export const sample = async () =>
  new File([await (await fetch(new URL("static/sample.jpg", ROOT))).blob()], "sample.jpg", { type: "image/jpeg" });
