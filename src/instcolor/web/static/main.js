// Puts the page together: what comes in, what is shown when, keys.

import * as api from "./api.js";
import * as boxes from "./boxes.js";
import * as cards from "./cards.js";
import * as download from "./download.js";
import { about, chosen, dropped } from "./intake.js";
import * as others from "./others.js";
import * as palette from "./palette.js";
import * as panel from "./panel.js";
import { add, events, photos, redo, restore, undo } from "./photos.js";
import * as viewer from "./viewer.js";
import { view } from "./viewer.js";
import { speak, t } from "./words.js";
import * as zoom from "./zoom.js";

const $ = (id) => document.getElementById(id);

const USUAL = { numbers: { pixels: 100, megabytes: 512, minutes: 15 }, limits: { pixels: 0 }, detector: true };
const known = await api.facts().catch(() => USUAL);
speak(known.numbers);
cards.limitTo(known.limits.pixels);

function arrange() {
  const some = photos.length > 0;
  const open = Boolean(view.photo?.version);
  document.body.classList.toggle("working", some);
  for (const id of ["album", "add", "add-folder", "footnote"]) $(id).hidden = !some;
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
  download.show();
  palette.show();
  others.show();
  busy(view.photo);
}

function busy(photo) {
  if (photo !== view.photo) return;
  const words = { waiting: "waiting", reading: "reading", objects: "coloringAgain", coloring: "coloringAgain", sending: "sending" };
  $("busy").hidden = !(photo.status in words);
  $("busy").textContent = $("busy").hidden ? "" : t(words[photo.status]);
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

function take(found) {
  add(found.files);
  const sentence = about(found);
  if (sentence) viewer.say(sentence);
}

for (const input of document.querySelectorAll("input.photos")) {
  input.addEventListener("change", () => {
    take(chosen(input.files));
    input.value = "";
  });
}
$("sample").addEventListener("click", async () => add([await api.sample()]));
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
document.addEventListener("drop", async (event) => take(await dropped(event.dataTransfer)));
document.addEventListener("paste", (event) => take(chosen(event.clipboardData.files)));

// keys

/** The next photo that has colors, or the one before. */
function step(by) {
  const ready = photos.filter((photo) => photo.version);
  const next = ready[(ready.indexOf(view.photo) + by + ready.length) % ready.length];
  if (next && next !== view.photo) choose(next);
}

const ZOOMS = { z: zoom.toggle, 0: zoom.whole, "+": () => zoom.by(1.5), "=": () => zoom.by(1.5), "-": () => zoom.by(1 / 1.5) };
const STEPS = { n: 1, p: -1, arrowright: 1, arrowleft: -1 };
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
  } else if (key in ZOOMS) {
    ZOOMS[key]();
  } else if (key in STEPS && (key.length === 1 || event.target.type !== "range")) {
    step(STEPS[key]);
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

for (const part of [viewer, boxes, palette, others, panel, download]) part.start();
arrange();
restore();
if (!known.detector) $("found").title = t("noDetector");
