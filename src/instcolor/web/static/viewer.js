// The large photo: before and after, zoom, confidence, and who gets the pointer.

import * as api from "./api.js";
import { Painter } from "./painter.js";
import { events, withPhoto } from "./photos.js";

const $ = (id) => document.getElementById(id);
export const view = { photo: null, painter: null, tool: "compare", zoomed: false };
const TEXTS = {
  compare: "Drag across the photo to compare. Arrow keys move the line too.",
  objects: "Each box is colored as a thing of its own. Drag on the photo to draw one, drag a box or its corners to change it.",
  color: "Click a spot, or draw a short stroke, and choose its color.",
};
let split = 50;
let paintDue = false;
let exactTimer = 0;
let exactRound = 0;

/** Shows a photo that has been looked at. */
export async function open(photo) {
  const other = view.photo !== photo;
  view.photo = photo;
  if (other) {
    view.painter = null;
    zoom(false);
    divide(50);
  }
  await refresh();
}

/** Fetches what the networks said last, and paints it. */
export async function refresh() {
  const { photo } = view;
  if (!photo?.version) return;
  try {
    const version = photo.version;
    const painter = await painterOf(photo);
    if (view.photo !== photo || photo.version !== version) return;
    view.painter = painter;
    const [width, height] = photo.size;
    $("stage").style.setProperty("--width", width);
    $("stage").style.setProperty("--height", height);
    $("colored").width = $("doubt").width = painter.width;
    $("colored").height = painter.height;
    $("gray").src = photo.grayUrl;
    const doubt = painter.doubt();
    Object.assign($("doubt"), { width: doubt.width, height: doubt.height });
    $("doubt").getContext("2d").putImageData(doubt, 0, 0);
    hint();
    paint();
  } catch (error) {
    say(error.message);
  }
}

/** A painter of the photo's latest look; kept until the next one. */
export async function painterOf(photo) {
  if (photo.painter?.version === photo.version) return photo.painter;
  const { version, grid } = photo;
  const [planes, gray] = await withPhoto(photo, (id) => Promise.all([api.planes(id), photo.grayImage ?? grayOf(photo, id)]));
  photo.grayImage = gray;
  photo.painter = new Painter(gray, planes, grid);
  photo.painter.version = version;
  return photo.painter;
}

async function grayOf(photo, id) {
  const blob = await api.gray(id);
  photo.grayUrl = URL.createObjectURL(blob);
  const bitmap = await createImageBitmap(blob);
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height);
}

/** Paints at the next frame, once however often it is asked for. */
export function paint() {
  $("exact").hidden = true;
  if (!paintDue) requestAnimationFrame(() => {
    paintDue = false;
    const { photo, painter } = view;
    if (!photo || !painter) return;
    const begin = performance.now();
    const image = painter.paint(photo.tuning);
    $("colored").getContext("2d").putImageData(image, 0, 0);
    $("colored").dataset.milliseconds = (performance.now() - begin).toFixed(1);
    $("colored").dataset.version = photo.version;
    events.dispatchEvent(new CustomEvent("painted", { detail: photo }));
  });
  paintDue = true;
  if (view.zoomed) fetchExact();
}

/** At 100 % the preview is not enough: the server's own result is laid over it. */
function fetchExact() {
  clearTimeout(exactTimer);
  const round = ++exactRound;
  exactTimer = setTimeout(async () => {
    const { photo } = view;
    try {
      const blob = await withPhoto(photo, (id) => api.result(id, { ...photo.tuning, format: "JPEG" }));
      if (round !== exactRound || view.photo !== photo || !view.zoomed) return;
      URL.revokeObjectURL($("exact").src);
      $("exact").src = URL.createObjectURL(blob);
      $("exact").hidden = false;
    } catch (error) {
      say(error.message);
    }
  }, 400);
}

export function zoom(on) {
  view.zoomed = on;
  $("zoom").setAttribute("aria-pressed", on);
  $("frame").classList.toggle("zoomed", on);
  if (!on) return void ($("exact").hidden = true);
  const frame = $("frame");
  frame.scrollLeft = (frame.scrollWidth - frame.clientWidth) / 2;
  frame.scrollTop = (frame.scrollHeight - frame.clientHeight) / 2;
  fetchExact();
}

/** Everything left of `percent` is shown as it was. */
export function divide(percent) {
  split = Math.min(100, Math.max(0, percent));
  $("before").style.clipPath = `inset(0 ${100 - split}% 0 0)`;
  $("divider").style.left = `${split}%`;
  $("divider").setAttribute("aria-valuenow", Math.round(split));
  $("divider").setAttribute("aria-valuetext", `${Math.round(split)} % as it was`);
}

export function choose(tool) {
  view.tool = tool;
  for (const button of $("tools").children) button.setAttribute("aria-pressed", button.dataset.tool === tool);
  $("stage").dataset.tool = tool;
  hint();
  if (tool === "compare") divide(split || 50);
  else if (split > 0) divide(0);
}

/** What the tool does; or what the stripes mean, while they are shown. */
function hint() {
  const share = Math.round(100 * (view.painter?.guessed() ?? 0));
  const said = `The stronger the stripes, the more the color is a guess: about ${share} % of this photo.`;
  $("hint").textContent = $("doubt").hidden ? TEXTS[view.tool] : said;
}

export function doubt(on) {
  $("sure").setAttribute("aria-pressed", on);
  $("doubt").hidden = !on;
  hint();
}

/** Where a pointer is, in pixels of the photo. */
export function place(event) {
  const box = $("stage").getBoundingClientRect();
  const [width, height] = view.photo.size;
  const x = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  const y = Math.min(1, Math.max(0, (event.clientY - box.top) / box.height));
  return [x * width, y * height];
}

export function say(sentence) {
  $("message").textContent = sentence;
  $("message").hidden = !sentence;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => ($("message").hidden = true), 8000);
}

function compare(event) {
  if (view.tool !== "compare" || !view.photo?.size || event.button) return;
  const move = (at) => divide((place(at)[0] / view.photo.size[0]) * 100);
  $("stage").setPointerCapture(event.pointerId);
  move(event);
  $("stage").addEventListener("pointermove", move);
  const end = () => $("stage").removeEventListener("pointermove", move);
  $("stage").addEventListener("pointerup", end, { once: true });
  $("stage").addEventListener("pointercancel", end, { once: true });
}

export function start() {
  $("stage").addEventListener("pointerdown", compare);
  $("divider").addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -2, ArrowRight: 2, PageDown: -10, PageUp: 10, Home: -100, End: 100 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    divide(split + step);
  });
  $("tools").addEventListener("click", ({ target }) => target.dataset.tool && choose(target.dataset.tool));
  $("zoom").addEventListener("click", () => zoom(!view.zoomed));
  $("sure").addEventListener("click", () => doubt($("doubt").hidden));
  choose("compare");
}
