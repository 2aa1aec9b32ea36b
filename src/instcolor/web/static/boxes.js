// The objects of the open photo: boxes that are drawn, moved, resized, switched off and taken away.

import { openFor } from "./palette.js";
import { edit, events } from "./photos.js";
import { follow } from "./pointers.js";
import { redraw } from "./redraw.js";
import { placeTags } from "./tags.js";
import { choose, place, view } from "./viewer.js";
import { t } from "./words.js";
import { pans } from "./zoom.js";

const $ = (id) => document.getElementById(id);
const SMALLEST = 0.01; // of a side of the photo; less is a click that slipped
const CORNERS = ["nw", "ne", "sw", "se"];

/** Draws boxes and list anew. */
export function show() {
  const objects = view.photo?.objects ?? [];
  const names = numbered(objects);
  redraw($("boxes"), objects.map((object, i) => boxOf(object, i, names[i])));
  redraw($("objects"), objects.map((object, i) => rowOf(object, i, names[i])));
  const on = objects.filter((object) => object.on).length;
  $("count").textContent = objects.length ? t("countOf", { on, n: objects.length }) : t("noneFound");
  placeTags();
}

/** Marks an object, on the photo and in the list. */
function select(index) {
  view.selected = index;
  [...$("boxes").children].forEach((box, i) => box.classList.toggle("selected", i === index));
  [...$("objects").children].forEach((row, i) => row.setAttribute("aria-current", i === index));
  if (index >= 0) $("found").open = true;
}

/** The labels, with numbers where several are alike: "sheep", "sheep 2". */
function numbered(objects) {
  const seen = {};
  return objects.map(({ label }) => {
    seen[label] = (seen[label] ?? 0) + 1;
    return seen[label] > 1 ? `${label} ${seen[label]}` : label;
  });
}

function boxOf(object, index, name) {
  const element = document.createElement("div");
  element.className = "box";
  element.classList.toggle("off", !object.on);
  element.classList.toggle("selected", index === view.selected);
  element.tabIndex = 0;
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", t("boxLabel", { name, state: t(object.on ? "boxOn" : "boxOff") }));
  put(element, object.box);
  const label = document.createElement("button");
  label.className = "label";
  label.textContent = name;
  label.title = t(object.on ? "switchOff" : "switchOn");
  label.tabIndex = -1;
  label.addEventListener("click", () => toggle(index));
  element.append(label);
  for (const corner of CORNERS) {
    const handle = document.createElement("span");
    handle.className = `corner ${corner}`;
    handle.addEventListener("pointerdown", (event) => drag(event, element, index, corner));
    element.append(handle);
  }
  element.addEventListener("pointerdown", (event) => event.target === element && drag(event, element, index, ""));
  element.addEventListener("keydown", (event) => keys(event, index));
  element.addEventListener("focus", () => select(index));
  return element;
}

function rowOf(object, index, name) {
  const row = document.createElement("li");
  row.setAttribute("aria-current", index === view.selected);
  for (const [event, lit] of [["mouseenter", true], ["focusin", true], ["mouseleave", false], ["focusout", false]]) {
    row.addEventListener(event, () => $("boxes").children[index]?.classList.toggle("lit", lit));
  }
  const label = document.createElement("label");
  const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: object.on });
  box.addEventListener("change", () => toggle(index));
  label.append(box, ` ${name}`);
  const color = Object.assign(document.createElement("button"), { textContent: t("colorIt"), className: "quiet", disabled: !object.on });
  color.setAttribute("aria-label", t("colorOf", { name }));
  color.addEventListener("click", () => openFor(index));
  const away = Object.assign(document.createElement("button"), { textContent: t("remove"), className: "quiet" });
  away.setAttribute("aria-label", t("removeOf", { name }));
  away.addEventListener("click", () => remove(index));
  row.append(label, color, away);
  return row;
}

function toggle(index) {
  edit(view.photo, () => (view.photo.objects[index].on = !view.photo.objects[index].on));
}

function remove(index) {
  view.selected = -1;
  edit(view.photo, () => view.photo.objects.splice(index, 1));
}

const created = (box) => ({ box, label: t("object"), score: 1, on: true, key: crypto.randomUUID?.() ?? String(Math.random()) });

function put(element, [x0, y0, x1, y1]) {
  const [width, height] = view.photo.size;
  element.style.left = `${(x0 / width) * 100}%`;
  element.style.top = `${(y0 / height) * 100}%`;
  element.style.width = `${((x1 - x0) / width) * 100}%`;
  element.style.height = `${((y1 - y0) / height) * 100}%`;
}

/** Follows a pointer until it is let go: the whole box, or one corner of it. */
function drag(event, element, index, corner) {
  if (view.tool !== "objects" || event.button || pans(event, view.tool)) return;
  event.preventDefault();
  event.stopPropagation();
  select(index);
  element.focus({ preventScroll: true });
  const from = place(event);
  const old = view.photo.objects[index].box;
  let box = old;
  follow(element, event, (at) => {
    const [dx, dy] = place(at).map((v, i) => v - from[i]);
    box = corner ? resized(old, corner, dx, dy) : moved(old, dx, dy);
    put(element, box);
  }, () => {
    if (box !== old && big(box)) edit(view.photo, () => (view.photo.objects[index].box = box));
    else put(element, old);
  }, () => put(element, old));
}

/** Draws a new box on a free place. */
function draw(event) {
  if (view.tool !== "objects" || event.button || !view.photo?.objects || event.target.closest(".box") || pans(event, view.tool)) return;
  event.preventDefault();
  const [x, y] = place(event);
  const element = Object.assign(document.createElement("div"), { className: "box new" });
  $("boxes").append(element);
  let box = [x, y, x, y];
  follow($("stage"), event, (at) => {
    const [u, v] = place(at);
    box = [Math.min(x, u), Math.min(y, v), Math.max(x, u), Math.max(y, v)];
    put(element, box);
  }, () => {
    element.remove();
    if (!big(box)) return select(-1);
    view.selected = view.photo.objects.length;
    edit(view.photo, () => view.photo.objects.push(created(box)));
  }, () => element.remove());
}

const big = ([x0, y0, x1, y1]) => x1 - x0 > SMALLEST * view.photo.size[0] && y1 - y0 > SMALLEST * view.photo.size[1];

function moved([x0, y0, x1, y1], dx, dy) {
  const [width, height] = view.photo.size;
  dx = Math.min(Math.max(dx, -x0), width - x1);
  dy = Math.min(Math.max(dy, -y0), height - y1);
  return [x0 + dx, y0 + dy, x1 + dx, y1 + dy];
}

function resized(box, corner, dx, dy) {
  const [width, height] = view.photo.size;
  const x = [box[0] + (corner[1] === "w" ? dx : 0), box[2] + (corner[1] === "e" ? dx : 0)];
  const y = [box[1] + (corner[0] === "n" ? dy : 0), box[3] + (corner[0] === "s" ? dy : 0)];
  const inside = (v, limit) => Math.min(limit, Math.max(0, v));
  return [Math.min(...x), Math.min(...y), Math.max(...x), Math.max(...y)]
    .map((v, i) => inside(v, i % 2 ? height : width));
}

function keys(event, index) {
  if (event.target.closest("button") && event.key === " ") return;
  const [width, height] = view.photo.size;
  const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (by) {
    const [dx, dy] = [by[0] * width * 0.02, by[1] * height * 0.02];
    const old = view.photo.objects[index].box;
    const box = event.shiftKey ? resized(old, "se", dx, dy) : moved(old, dx, dy);
    if (big(box)) edit(view.photo, () => (view.photo.objects[index].box = box));
  } else if (event.key === "Enter") {
    openFor(index);
    event.preventDefault();
    return event.stopPropagation();
  } else if (event.key === " ") {
    toggle(index);
  } else if (event.key === "Delete" || event.key === "Backspace") {
    remove(index);
  } else {
    return;
  }
  event.preventDefault();
  event.stopPropagation();
}

/** A box in the middle of the photo, for those who do not draw: arrows move and resize it. */
function addMiddle() {
  if (!view.photo?.objects) return;
  const box = view.photo.size.flatMap((side) => [side / 3, (side * 2) / 3]);
  choose("objects");
  edit(view.photo, () => view.photo.objects.push(created([box[0], box[2], box[1], box[3]])));
  $("boxes").lastElementChild.focus({ preventScroll: true });
}

export function start() {
  $("add-box").addEventListener("click", addMiddle);
  events.addEventListener("placed", placeTags);
  $("stage").addEventListener("pointerdown", draw);
}
