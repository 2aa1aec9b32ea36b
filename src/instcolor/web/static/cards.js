// One card for each photo: its picture, how far it is, and the way out.

import { smaller } from "./intake.js";
import { photos, remove, replace } from "./photos.js";
import { painterOf } from "./viewer.js";
import { t } from "./words.js";

const $ = (id) => document.getElementById(id);
const THUMB = 240; // pixels
const TOO_LARGE = new Set(["too_many_pixels", "too_large", "no_memory", "too_slow"]);
const WORDS = {
  queued: "queued", sending: "sending", waiting: "waiting", reading: "reading", objects: "lookingForObjects",
  coloring: "coloringNow", painting: "coloringNow", done: "done", failed: "failed",
};
let limit = 0; // pixels of a photo

/** How many pixels the server takes. */
export const limitTo = (pixels) => (limit = pixels);

const SHARES = { queued: 0, sending: 0.05, waiting: 0.3, reading: 0.4, objects: 0.55, coloring: 0.75, painting: 0.9, done: 1, failed: 1 };
const cards = new Map();

export function add(photo, open) {
  const card = document.createElement("li");
  card.className = "card";
  card.innerHTML = `<button class="open"><span class="picture"></span><span class="name"></span></button>
    <progress max="1"></progress><p class="state"></p><button class="more quiet" hidden></button>
    <button class="smaller quiet" hidden></button><button class="remove"><svg aria-hidden="true"><use href="#i-close"/></svg></button>`;
  card.querySelector(".name").textContent = photo.name;
  card.querySelector(".open").addEventListener("click", () => open(photo));
  card.querySelector(".remove").setAttribute("aria-label", t("removeOf", { name: photo.name }));
  card.querySelector(".remove").addEventListener("click", () => remove(photo));
  card.querySelector(".more").addEventListener("click", () => {
    card.classList.toggle("whole");
    show(photo);
  });
  card.querySelector(".smaller").textContent = t("smallerCopy");
  card.querySelector(".smaller").addEventListener("click", () => shrink(photo));
  if (photo.file instanceof Blob) preview(photo, card);
  cards.set(photo, card);
  $("cards").append(card);
  show(photo);
}

async function shrink(photo) {
  const file = await smaller(photo.file, limit);
  if (file) return replace(photo, file);
  photo.problem += ` ${t("tooManyPixelsTiff")}`;
  photo.code = null;
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
  const state = photo.problem ?? t(WORDS[photo.status] ?? "coloringNow");
  const line = card.querySelector(".state");
  const whole = card.classList.contains("whole");
  line.textContent = state;
  card.querySelector(".more").hidden = !whole && line.scrollHeight <= line.clientHeight; // all of it can be read
  card.querySelector(".more").textContent = t(whole ? "less" : "more");
  card.querySelector(".smaller").hidden = !(TOO_LARGE.has(photo.code) && photo.file && limit);
  bar.setAttribute("aria-label", `${photo.name}: ${state}`);
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
  const counts = { overallReady: done, overallFailed: failed, overallBusy: busy };
  const parts = Object.entries(counts).filter(([, n]) => n).map(([key, n]) => t(key, { n }));
  $("overall").textContent = photos.length ? parts.join(", ") : "";
  $("all").hidden = done < 2;
}

