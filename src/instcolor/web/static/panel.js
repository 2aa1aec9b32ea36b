// The panel beside the photo: sliders, undo, what is known of the photo.

import { TUNING } from "./constants.js";
import { redo, reset, undo } from "./photos.js";
import { paint, view } from "./viewer.js";
import { t } from "./words.js";

const $ = (id) => document.getElementById(id);
const SLIDERS = Object.keys(TUNING);
const STYLES = [[0.17, "faithful"], [0.34, "between"], [0.67, "natural"], [0.84, "lively"], [Infinity, "vivid"]];
const percent = (v) => t("percent", { n: Math.round(v * 100) });
const SAID = {
  style: (v) => t(STYLES.find(([end]) => v < end)[1]),
  saturation: percent,
  strength: percent,
  warmth: (v) => (v === 0 ? t("asItIs") : t(v > 0 ? "warmer" : "cooler", { n: Math.abs(Math.round(v * 100)) })),
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
  const [width, height] = photo.size ?? [];
  const size = photo.size ? t("facts", { width, height, format: photo.format }) : "";
  const depth = photo.bits === 16 ? t("sixteenBits") : "";
  const notes = (photo.notes ?? []).map((note) => t("note", { note }));
  $("facts").textContent = [[size, depth].filter(Boolean).join(", "), ...notes].filter(Boolean).join(". ");
}

function tell(name) {
  const text = SAID[name](view.photo.tuning[name]);
  $(`${name}-value`).textContent = text;
  $(name).setAttribute("aria-valuetext", text);
}

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
}
