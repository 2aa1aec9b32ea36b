// One card for each photo: its picture, how far it is, and the way out.

import { photos, remove } from "./photos.js";
import { painterOf } from "./viewer.js";

const $ = (id) => document.getElementById(id);
const THUMB = 240; // pixels
const WORDS = {
  queued: "Waiting", sending: "Sending", waiting: "Waiting", reading: "Reading", objects: "Looking for objects",
  coloring: "Coloring", painting: "Coloring", done: "Done", failed: "Not colored",
};
const SHARES = { queued: 0, sending: 0.05, waiting: 0.3, reading: 0.4, objects: 0.55, coloring: 0.75, painting: 0.9, done: 1, failed: 1 };
const cards = new Map();

export function add(photo, open) {
  const card = document.createElement("li");
  card.className = "card";
  card.innerHTML = `<button class="open"><span class="picture"></span><span class="name"></span></button>
    <progress max="1"></progress><p class="state"></p><button class="remove" title="Remove">×</button>`;
  card.querySelector(".name").textContent = photo.name;
  card.querySelector(".open").addEventListener("click", () => open(photo));
  card.querySelector(".remove").setAttribute("aria-label", `Remove ${photo.name}`);
  card.querySelector(".remove").addEventListener("click", () => remove(photo));
  if (photo.file instanceof Blob) preview(photo, card);
  cards.set(photo, card);
  $("cards").append(card);
  show(photo);
}

/** The gray thumbnail at once, from the file itself; formats that the browser does not know get theirs later. */
function preview(photo, card) {
  const picture = new Image();
  picture.alt = "";
  picture.className = "gray";
  picture.src = URL.createObjectURL(photo.file);
  picture.onerror = () => picture.remove();
  card.querySelector(".picture").append(picture);
}

export function show(photo) {
  const card = cards.get(photo);
  if (!card) return;
  card.dataset.status = photo.status;
  const bar = card.querySelector("progress");
  bar.value = photo.status === "sending" ? 0.05 + 0.25 * photo.sent : SHARES[photo.status] ?? 0.5;
  bar.hidden = photo.status === "done" || photo.status === "failed";
  card.querySelector(".state").textContent = photo.problem ?? WORDS[photo.status] ?? photo.status;
  bar.setAttribute("aria-label", `${photo.name}: ${WORDS[photo.status] ?? photo.status}`);
}

export function drop(photo) {
  cards.get(photo)?.remove();
  cards.delete(photo);
}

/** Marks the card of the open photo. */
export function mark(open) {
  for (const [photo, card] of cards) {
    card.querySelector(".open").setAttribute("aria-current", photo === open);
  }
}

/** A small copy in color, painted as the photo is now. */
export async function colorThumb(photo) {
  try {
    const painter = await painterOf(photo);
    const whole = new OffscreenCanvas(painter.width, painter.height);
    whole.getContext("2d").putImageData(painter.paint(photo.tuning), 0, 0);
    const scale = Math.min(1, THUMB / Math.max(painter.width, painter.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(painter.width * scale));
    canvas.height = Math.max(1, Math.round(painter.height * scale));
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(whole, 0, 0, canvas.width, canvas.height);
    cards.get(photo)?.querySelector(".picture").replaceChildren(canvas);
  } catch {
    // the card keeps its gray picture
  }
}

/** How far all are together. */
export function overall() {
  const done = photos.filter((photo) => photo.version).length;
  const failed = photos.filter((photo) => photo.status === "failed").length;
  const busy = photos.length - photos.filter((p) => p.status === "done" || p.status === "failed").length;
  const parts = [`${done} of ${photos.length} in color`];
  if (failed) parts.push(`${failed} not`);
  if (busy) parts.push(`${busy} to go`);
  $("overall").textContent = photos.length ? parts.join(", ") : "";
  $("all").hidden = done < 2;
}

