// Colors in a person's hands: spots and strokes, and the colors that the network holds possible there.

import * as api from "./api.js";
import { MAX_STROKE_POINTS } from "./constants.js";
import { hex } from "./lab.js";
import { edit, withPhoto } from "./photos.js";
import { follow } from "./pointers.js";
import { place, view } from "./viewer.js";
import { t } from "./words.js";
import { pans } from "./zoom.js";

const $ = (id) => document.getElementById(id);
const STEP = 0.012; // of the photo's width between two points of a stroke
const GRAY = [0, 0];
let stroke = null;
let inside = -1; // the object under the stroke
let back = null; // where the keyboard was before

function draw(event) {
  if (view.tool !== "color" || event.button || !view.photo?.objects || pans(event, view.tool)) return;
  event.preventDefault();
  close();
  const points = [place(event)];
  follow($("stage"), event, (at) => {
    const [x, y] = place(at);
    const [u, v] = points.at(-1);
    if (Math.hypot(x - u, y - v) > STEP * view.photo.size[0] && points.length < MAX_STROKE_POINTS) points.push([x, y]);
    show([{ points, color: "#ffffff" }]);
  }, (at) => {
    show([{ points, color: "#ffffff" }]);
    open(points, at);
  }, () => show());
}

/** The palette for a stroke; at the pointer, or in the middle for keys. */
export function open(points, at) {
  const object = smallestAt(points[0]);
  return begin(points, at, object, points.length === 1 && Boolean(view.photo.objects[object]?.outlined));
}

/** The palette for a whole object. */
export function openFor(index) {
  const [x0, y0, x1, y1] = view.photo.objects[index].box;
  return begin([[(x0 + x1) / 2, (y0 + y1) / 2]], null, index, true);
}

/** The object that is meant by a click: of those around it the smallest. */
function smallestAt([x, y]) {
  const area = ({ box }) => (box[2] - box[0]) * (box[3] - box[1]);
  const around = view.photo.objects.filter(({ on, box }) => on && x >= box[0] && x <= box[2] && y >= box[1] && y <= box[3]);
  return view.photo.objects.indexOf(around.sort((one, other) => area(one) - area(other))[0]);
}

async function begin(points, at, object, whole) {
  const { photo } = view;
  stroke = points;
  inside = object;
  back = document.activeElement;
  $("whole-label").hidden = inside < 0;
  $("whole").checked = whole;
  if (inside >= 0) $("whole-label").lastElementChild.textContent = t("whole", { name: photo.objects[inside].label });
  const palette = $("palette");
  palette.hidden = false;
  put(palette, at);
  $("suggested").replaceChildren(t("lookingForColors"));
  await suggest();
}

/** Beside the spot; on a narrow screen a sheet at its foot, or its head where the spot is low, so that both are seen. */
function put(palette, at) {
  const sheet = innerWidth <= 820;
  const low = at && at.clientY > innerHeight / 2;
  palette.className = sheet ? `sheet ${low ? "up" : ""}` : "";
  const width = Math.min(300, innerWidth - 24);
  const right = at ? at.clientX + 28 : innerWidth / 2 - width / 2;
  const left = right + width > innerWidth - 12 && at ? at.clientX - width - 28 : right;
  palette.style.left = sheet ? "" : `${Math.max(12, left)}px`;
  palette.style.top = sheet ? "" : `${Math.min(Math.max(12, at ? at.clientY - 40 : 120), innerHeight - 300)}px`;
}

async function suggest() {
  const { photo, painter } = view;
  const [x, y] = stroke[0];
  const whole = inside >= 0 && $("whole").checked;
  try {
    const L = Math.min(78, Math.max(38, painter.lightnessAt(x / photo.size[0], y / photo.size[1])));
    const where = whole ? { box: photo.objects[inside].box } : { x, y };
    const asked = stroke;
    const found = await withPhoto(photo, (id) => api.colors(id, where));
    if (stroke !== asked || whole !== (inside >= 0 && $("whole").checked)) return;
    const swatches = [...found, GRAY].map(([a, b, share]) => {
      const n = Math.max(1, Math.round(share * 100));
      const [title, shown] = share === undefined ? [t("gray"), t("gray")] : [t("likely", { n }), t("percent", { n })];
      return swatch(hex(L, a, b), title, shown, () => apply({ ab: [a, b] }));
    });
    $("suggested").replaceChildren(...swatches);
    swatches[0].focus({ preventScroll: true });
  } catch (error) {
    $("suggested").replaceChildren(error.message);
  }
}

function swatch(color, title, shown, work) {
  const button = document.createElement("button");
  button.className = "swatch";
  button.title = title;
  button.setAttribute("aria-label", t("swatch", { what: title }));
  const patch = document.createElement("span");
  patch.style.background = color;
  button.append(patch, shown);
  button.addEventListener("click", work);
  return button;
}

function apply(color) {
  const whole = inside >= 0 && $("whole").checked;
  const hint = { points: stroke, ...color, object: view.photo.objects[inside]?.key, whole };
  close(); // before the boxes are drawn anew, or the keyboard would lose its place among them
  edit(view.photo, () => {
    // a thing has one color: the new one takes the place of the old
    view.photo.hints = view.photo.hints.filter((one) => !(whole && one.whole && one.object === hint.object));
    view.photo.hints.push(hint);
  });
}

export function close() {
  stroke = null;
  if ($("palette").contains(document.activeElement)) back?.focus({ preventScroll: true });
  $("palette").hidden = true;
  show();
}

/** Draws the hints of the open photo, and those being made. */
export function show(more = []) {
  const { photo } = view;
  if (!photo?.size) return;
  const [width, height] = photo.size;
  const svg = $("strokes");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const drawn = [...photo.hints, ...more].filter((hint) => !hint.quiet);
  svg.replaceChildren(...drawn.flatMap((hint) => {
    const color = hint.color ?? hex(60, ...hint.ab);
    const path = `M${hint.points.map((p) => p.join(" ")).join("L")}${hint.points.length === 1 ? "h0.01" : ""}`;
    return ["outline", "ink"].map((name) => {
      const line = document.createElementNS(svg.namespaceURI, "path");
      line.setAttribute("d", path);
      line.setAttribute("class", name);
      if (name === "ink") line.style.stroke = color;
      return line;
    });
  }));
}

export function start() {
  $("stage").addEventListener("pointerdown", draw);
  $("cancel").addEventListener("click", close);
  $("whole").addEventListener("change", suggest);
  $("any").addEventListener("change", () => stroke && apply({ color: $("any").value }));
  $("palette").addEventListener("keydown", (event) => event.key === "Escape" && close());
}
