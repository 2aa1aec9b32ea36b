// Other colorings of the whole photo, shown as small pictures to choose among, and colors borrowed from another photo.

import * as api from "./api.js";
import { edit, told, withPhoto } from "./photos.js";
import { redraw } from "./redraw.js";
import { say, view } from "./viewer.js";
import { t } from "./words.js";

const $ = (id) => document.getElementById(id);

/** What a person has said, without the colors that an alternative or a reference has put in. */
const spoken = (photo) => photo.hints.filter((hint) => !hint.quiet);
const quiet = (photo) => photo.hints.filter((hint) => hint.quiet);

/** What the pictures depend on; with other objects or hints they are no longer true. */
const basis = (photo) => JSON.stringify([told(photo).objects, spoken(photo)]);

/** Hints [x, y, a, b] of the server as the page has them: one for each color. */
function grouped(points) {
  const byColor = new Map();
  for (const [x, y, a, b] of points) {
    const key = `${a} ${b}`;
    if (!byColor.has(key)) byColor.set(key, { points: [], ab: [a, b], quiet: true });
    byColor.get(key).points.push([x, y]);
  }
  return [...byColor.values()];
}

async function offer() {
  const { photo } = view;
  const key = basis(photo);
  $("others").disabled = true;
  $("others").textContent = t("lookingForOthers");
  try {
    const hints = told({ ...photo, hints: spoken(photo) }).hints;
    const seed = photo.seed++;
    const found = await withPhoto(photo, (id) => api.alternatives(id, { seed, hints, ...photo.tuning }));
    const list = found.alternatives.map(({ hints, picture }) => ({ hints: grouped(hints), picture }));
    photo.alternatives = { key, list: [{ hints: [], picture: found.first }, ...list] };
    if (view.photo === photo) {
      show();
      $("alternatives").querySelector("button")?.focus();
    }
  } catch (error) {
    say(error.message);
  } finally {
    $("others").disabled = false;
    show();
  }
}

/** Draws the pictures of the open photo, the one that it has marked. */
export function show() {
  const { photo } = view;
  const others = photo?.alternatives;
  const list = others && others.key === basis(photo) ? others.list : [];
  const now = photo ? JSON.stringify(quiet(photo)) : "";
  $("others").textContent = t(list.length ? "moreOthers" : "others");
  redraw($("alternatives"), list.map(({ hints, picture }, i) => {
    const button = document.createElement("button");
    button.className = "alternative";
    button.title = i ? t("coloring", { n: i + 1 }) : t("firstColoring");
    button.setAttribute("aria-pressed", JSON.stringify(hints) === now);
    button.append(Object.assign(new Image(), { src: pictureUrl(picture), alt: button.title }));
    button.addEventListener("click", () => edit(photo, () => (photo.hints = [...spoken(photo), ...hints])));
    return button;
  }));
}

const urls = new Map();

/** The address of a picture in base64; made once, because every edit draws the pictures again. */
function pictureUrl(picture) {
  if (!urls.has(picture)) {
    const bytes = Uint8Array.from(atob(picture), (letter) => letter.charCodeAt(0));
    urls.set(picture, URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" })));
  }
  return urls.get(picture);
}

async function lend(file) {
  const { photo } = view;
  if (!file || !photo) return;
  try {
    const hints = grouped(await withPhoto(photo, (id) => api.reference(id, file)));
    edit(photo, () => (photo.hints = [...spoken(photo), ...hints]));
  } catch (error) {
    say(t("cannotBorrow", { why: error.message }));
  }
}

export function start() {
  $("others").addEventListener("click", offer);
  $("reference").addEventListener("change", async () => {
    await lend($("reference").files[0]);
    $("reference").value = "";
  });
}
