// The panel beside the photo: sliders, undo, download.

import * as api from "./api.js";
import { TUNING } from "./constants.js";
import { photos, redo, reset, undo, withPhoto } from "./photos.js";
import { paint, say, view } from "./viewer.js";

const $ = (id) => document.getElementById(id);
const SLIDERS = Object.keys(TUNING);
const WORDS = {
  style: (v) => (v < 0.17 ? "faithful" : v < 0.34 ? "between" : v < 0.67 ? "natural" : v < 0.84 ? "lively" : "vivid"),
  saturation: (v) => `${Math.round(v * 100)} %`,
  strength: (v) => `${Math.round(v * 100)} %`,
  warmth: (v) => (v === 0 ? "as it is" : `${Math.abs(Math.round(v * 100))} % ${v > 0 ? "warmer" : "cooler"}`),
};

/** Brings the panel to the state of the open photo. */
export function show() {
  const { photo } = view;
  if (!photo) return;
  $("title").textContent = photo.name;
  for (const name of SLIDERS) {
    $(name).value = photo.tuning[name];
    tell(name);
  }
  $("undo").disabled = !photo.past.length;
  $("redo").disabled = !photo.future.length;
  $("reset").disabled = !photo.past.length && SLIDERS.every((name) => photo.tuning[name] === TUNING[name]);
  $("download").disabled = !photo.version;
  const size = photo.size ? `${photo.size[0]} × ${photo.size[1]} pixels, ${photo.format}${photo.bits === 16 ? ", 16 bits" : ""}` : "";
  $("facts").textContent = [size, ...(photo.notes ?? []).map((note) => `This photo ${note}.`)].filter(Boolean).join(". ");
}

function tell(name) {
  const text = WORDS[name](view.photo.tuning[name]);
  $(`${name}-value`).textContent = text;
  $(name).setAttribute("aria-valuetext", text);
}

const wish = (photo) => ({ ...photo.tuning, corner: $("corner").checked, gps: $("gps").checked });

function save(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

const ENDINGS = { JPEG: "jpg", PNG: "png", TIFF: "tif", WEBP: "webp", BMP: "bmp" };

async function during(button, words, work) {
  const before = button.textContent;
  button.disabled = true;
  button.textContent = words;
  try {
    await work();
  } catch (error) {
    say(error.message);
  } finally {
    button.disabled = false;
    button.textContent = before;
  }
}

const download = () => during($("download"), "Painting at full size…", async () => {
  const { photo } = view;
  const blob = await withPhoto(photo, (id) => api.result(id, wish(photo)));
  save(blob, `${photo.name.replace(/\.[^.]+$/, "")}-color.${ENDINGS[photo.format]}`);
});

const downloadAll = () => during($("all"), "Packing…", async () => {
  const ready = photos.filter((photo) => photo.version);
  for (const photo of ready) await withPhoto(photo, (id) => api.state(id));
  save(await api.archive(ready.map((photo) => ({ id: photo.id, ...wish(photo) }))), "instcolor.zip");
});

export function start() {
  for (const name of SLIDERS) {
    $(name).addEventListener("input", () => {
      if (!view.photo) return;
      view.photo.tuning[name] = Number($(name).value);
      show();
      paint();
    });
    $(name).addEventListener("dblclick", () => {
      $(name).value = TUNING[name];
      $(name).dispatchEvent(new Event("input"));
    });
  }
  $("undo").addEventListener("click", () => undo(view.photo));
  $("redo").addEventListener("click", () => redo(view.photo));
  $("reset").addEventListener("click", () => {
    Object.assign(view.photo.tuning, TUNING);
    reset(view.photo);
    show();
    paint();
  });
  $("download").addEventListener("click", download);
  $("all").addEventListener("click", downloadAll);
}

