// Puts the page together: what comes in, what is shown when, keys.

import * as api from "./api.js";
import * as boxes from "./boxes.js";
import * as cards from "./cards.js";
import * as others from "./others.js";
import * as palette from "./palette.js";
import * as panel from "./panel.js";
import { add, events, photos, redo, restore, undo } from "./photos.js";
import * as viewer from "./viewer.js";
import { view } from "./viewer.js";

const $ = (id) => document.getElementById(id);

function arrange() {
  const some = photos.length > 0;
  const open = Boolean(view.photo?.version);
  document.body.classList.toggle("working", some);
  for (const id of ["album", "add", "footnote"]) $(id).hidden = !some;
  for (const id of ["viewer", "panel"]) $(id).hidden = !open;
  $("start").hidden = some;
  cards.overall();
}

async function open(photo) {
  if (!photo.version) {
    if (photo.problem) viewer.say(`${photo.name}: ${photo.problem}`);
    return;
  }
  palette.close();
  view.photo = photo;
  arrange();
  cards.mark(photo);
  await viewer.open(photo);
  showAll();
}

/** Opens a photo for somebody who has clicked its card, which may stand below the photo on a small screen. */
async function choose(photo) {
  await open(photo);
  if (view.photo === photo) $("viewer").scrollIntoView({ block: "nearest" });
}

function showAll() {
  boxes.show();
  panel.show();
  palette.show();
  others.show();
  busy(view.photo);
}

function busy(photo) {
  if (photo !== view.photo) return;
  const words = { waiting: "Waiting…", reading: "Reading…", objects: "Coloring again…", coloring: "Coloring again…", sending: "Sending…" };
  $("busy").hidden = !(photo.status in words);
  $("busy").textContent = words[photo.status] ?? "";
}

events.addEventListener("photo", async ({ detail: { photo, what } }) => {
  if (what === "added") {
    cards.add(photo, choose);
  } else if (what === "removed") {
    cards.drop(photo);
    if (view.photo === photo) {
      view.photo = null;
      const next = photos.find((one) => one.version);
      if (next) await open(next);
    }
  } else if (what === "look") {
    if (!view.photo) await open(photo);
    else if (view.photo === photo) {
      await viewer.refresh();
      showAll();
    }
    cards.colorThumb(photo);
  } else if (what === "edit" && view.photo === photo) {
    showAll();
  } else {
    cards.show(photo);
    busy(photo);
    if (view.photo === photo && photo.status === "failed") viewer.say(photo.problem);
  }
  arrange();
});

let thumbTimer = 0;
events.addEventListener("painted", ({ detail }) => {
  clearTimeout(thumbTimer);
  thumbTimer = setTimeout(() => cards.colorThumb(detail), 500);
});

// what comes in

const images = (list) => [...list].filter((file) => file instanceof File);

for (const input of [$("choose"), $("add").querySelector("input")]) {
  input.addEventListener("change", () => {
    add(images(input.files));
    input.value = "";
  });
}
for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    document.body.classList.add("dragging");
  });
}
for (const name of ["dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    if (name === "dragleave" && event.relatedTarget) return;
    event.preventDefault();
    document.body.classList.remove("dragging");
  });
}
document.addEventListener("drop", (event) => add(images(event.dataTransfer.files)));
document.addEventListener("paste", (event) => add(images(event.clipboardData.files)));

// keys

const TOOLS = { v: "compare", o: "objects", c: "color" };
document.addEventListener("keydown", (event) => {
  if (!view.photo || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && event.target.type !== "range") return;
  const key = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && key === "z") {
    (event.shiftKey ? redo : undo)(view.photo);
  } else if (event.ctrlKey || event.metaKey || event.altKey) {
    return;
  } else if (key in TOOLS) {
    viewer.choose(TOOLS[key]);
  } else if (key === "z") {
    viewer.zoom(!view.zoomed);
  } else if (key === "g") {
    viewer.doubt($("doubt").hidden);
  } else if (key === "enter" && view.tool === "color" && event.target === document.body) {
    palette.open([view.photo.size.map((v) => v / 2)]);
  } else if (key === "escape") {
    palette.close();
  } else {
    return;
  }
  event.preventDefault();
});

for (const part of [viewer, boxes, palette, others, panel]) part.start();
arrange();
restore();
api.facts().then(({ limits, detector }) => {
  for (const element of document.querySelectorAll(".minutes")) {
    element.textContent = Number((limits.keep_seconds / 60).toFixed(1));
  }
  if (!detector) $("found").title = "This server has no detector of objects; draw boxes by hand.";
}).catch(() => {});
