// The large photo: before and after, full size where it is looked at closely, confidence, and who gets the pointer.

import * as api from "./api.js";
import { Painter } from "./painter.js";
import { events, withPhoto } from "./photos.js";
import { follow } from "./pointers.js";
import { t } from "./words.js";
import * as zoom from "./zoom.js";

const $ = (id) => document.getElementById(id);
export const view = { photo: null, painter: null, tool: "compare", selected: -1 };
const touch = matchMedia("(pointer: coarse)");
const TEXTS = { compare: ["compareText", "compareTouch"], objects: ["objectsText", "objectsTouch"], color: ["colorText", "colorTouch"] };
const CLOSE = 1.05; // screen pixels for one of the preview from which the full size is fetched
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
    view.selected = -1;
    dropExact();
    divide(50);
  }
  await refresh();
  if (other) zoom.whole();
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
    $("colored").width = painter.width;
    $("colored").height = painter.height;
    $("gray").src = photo.grayFull ?? photo.grayUrl;
    const doubt = painter.doubt();
    Object.assign($("doubt"), { width: doubt.width, height: doubt.height });
    $("doubt").getContext("2d").putImageData(doubt, 0, 0);
    zoom.show(photo.size);
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
  const [planes, layer, gray] = await withPhoto(photo, (id) => Promise.all([
    api.planes(id), photo.layer ? api.layer(id) : null, photo.grayImage ?? grayOf(photo, id),
  ]));
  photo.grayImage = gray;
  photo.painter = new Painter(gray, planes, grid, layer);
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
  dropExact();
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
  fetchExact();
}

function dropExact() {
  clearTimeout(exactTimer);
  exactRound++;
  $("exact").hidden = true;
  $("sharpening").hidden = true;
}

/** Looked at closely the preview is not enough: the server's own picture is shown, before and after. */
function fetchExact() {
  const { photo, painter } = view;
  if (!photo || !painter || !$("exact").hidden || zoom.width() <= painter.width * CLOSE || painter.width >= photo.size[0]) return;
  clearTimeout(exactTimer);
  const round = ++exactRound;
  $("sharpening").hidden = false;
  exactTimer = setTimeout(async () => {
    try {
      photo.grayFull ??= await pictureOf(photo, { strength: 0, warmth: 0 });
      const colored = await pictureOf(photo, photo.tuning);
      if (round !== exactRound || view.photo !== photo) return URL.revokeObjectURL(colored);
      URL.revokeObjectURL($("exact").src);
      $("exact").src = colored;
      $("gray").src = photo.grayFull;
      await Promise.all([$("exact").decode(), $("gray").decode()]);
      if (round === exactRound) $("exact").hidden = false;
    } catch (error) {
      say(error.message);
    } finally {
      if (round === exactRound) $("sharpening").hidden = true;
    }
  }, 300);
}

/** The address of the photo at full size, tuned. */
async function pictureOf(photo, tuning) {
  return URL.createObjectURL(await withPhoto(photo, (id) => api.result(id, { ...tuning, format: "JPEG" })));
}

/** Everything left of `percent` is shown as it was. */
export function divide(percent) {
  split = Math.min(100, Math.max(0, percent));
  $("before").style.clipPath = `inset(0 ${100 - split}% 0 0)`;
  $("divider").style.left = `${split}%`;
  $("divider").setAttribute("aria-valuenow", Math.round(split));
  $("divider").setAttribute("aria-valuetext", t("dividerValue", { n: Math.round(split) }));
}

export function choose(tool) {
  view.tool = tool;
  for (const button of $("tools").children) button.setAttribute("aria-pressed", button.dataset.tool === tool);
  $("stage").dataset.tool = tool;
  hint();
  events.dispatchEvent(new Event("placed"));
  if (tool === "compare") divide(split || 50);
  else if (split > 0) divide(0);
}

/** What the tool does; or what the veil means, while it is shown. */
function hint() {
  const share = Math.round(100 * (view.painter?.guessed() ?? 0));
  $("hint").textContent = $("doubt").hidden ? t(TEXTS[view.tool][Number(touch.matches)]) : t("doubtText", { n: share });
}

export function doubt(on) {
  $("sure").setAttribute("aria-pressed", on);
  $("doubt").hidden = $("legend").hidden = !on;
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
  say.timer = setTimeout(() => ($("message").hidden = true), 10000);
}

function compare(event) {
  if (!view.photo?.size || (event.button && event.button !== 1)) return;
  const onDivider = event.target.closest("#divider");
  if (!onDivider && zoom.pans(event, view.tool)) return zoom.grab(event);
  if (view.tool !== "compare" || event.button) return;
  const before = split;
  const move = (at) => divide((place(at)[0] / view.photo.size[0]) * 100);
  move(event);
  follow($("stage"), event, move, () => {}, () => divide(before));
}

export function start() {
  $("stage").addEventListener("pointerdown", compare);
  $("divider").addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -2, ArrowRight: 2, PageDown: -10, PageUp: 10, Home: -100, End: 100 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    divide(split + step);
  });
  $("tools").addEventListener("click", ({ target }) => {
    const tool = target.closest("[data-tool]")?.dataset.tool;
    if (tool) choose(tool);
  });
  $("sure").addEventListener("click", () => doubt($("doubt").hidden));
  touch.addEventListener("change", hint);
  zoom.start(() => {
    fetchExact();
    events.dispatchEvent(new Event("placed"));
  });
  choose("compare");
}
