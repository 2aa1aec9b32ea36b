// The way out: a photo in a format and size, before and after in one picture, a short film, all in one archive.

import * as api from "./api.js";
import { photos, withPhoto } from "./photos.js";
import { say, view } from "./viewer.js";
import { t } from "./words.js";

const $ = (id) => document.getElementById(id);
const ENDINGS = { JPEG: "jpg", PNG: "png", TIFF: "tif", WEBP: "webp", BMP: "bmp" };
const LOSSY = new Set(["JPEG", "WEBP"]);
const PRINTS = [[10, 15], [13, 18], [20, 30], [30, 45]]; // centimeters
const SCREEN = 1920; // pixels
const PER_CENTIMETER = 300 / 2.54; // dots, of a good print
const FILM = { seconds: 4, side: 960, rate: 30 };

/** Pixels of the longer side for the chosen size; 0 for the photo's own. */
const side = () => Number($("size").value);

/** How the photo is to be painted and written, as the API has it. */
function options(photo) {
  const format = $("format").value || photo.format;
  return {
    ...photo.tuning, corner: $("corner").checked, gps: $("gps").checked, beside: $("beside").checked,
    ...($("format").value ? { format } : {}),
    ...(LOSSY.has(format) && $("quality").value !== $("quality").dataset.own ? { quality: Number($("quality").value) } : {}),
    ...(side() ? { side: side() } : {}),
  };
}

/** Brings the choices to the open photo. */
export function show() {
  const { photo } = view;
  if (!photo) return;
  $("format").options[0].textContent = t("formatOwn", { format: photo.format ?? "" });
  $("quality").disabled = !LOSSY.has($("format").value || photo.format);
  $("quality-value").textContent = $("quality").value;
  $("small").hidden = !photo.size || side() <= Math.max(...photo.size);
  $("download").disabled = !photo.version;
}

function save(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

async function during(button, words, work) {
  const label = button.querySelector("span") ?? button;
  const before = label.textContent;
  button.disabled = true;
  label.textContent = words;
  try {
    await work();
  } catch (error) {
    if (error.name !== "AbortError") say(error.message);
  } finally {
    button.disabled = false;
    label.textContent = before;
  }
}

const stem = (photo) => `${photo.name.replace(/\.[^.]+$/, "")}-color`;

async function painted() {
  const { photo } = view;
  const blob = await withPhoto(photo, (id) => api.result(id, options(photo)));
  return [blob, `${stem(photo)}.${ENDINGS[$("format").value || photo.format]}`];
}

const download = () => during($("download"), t("painting"), async () => save(...(await painted())));

const share = () => during($("share"), t("painting"), async () => {
  const [blob, name] = await painted();
  await navigator.share({ files: [new File([blob], name, { type: blob.type })] });
});

const downloadAll = () => during($("all"), t("packing"), async () => {
  const ready = photos.filter((photo) => photo.version);
  for (const photo of ready) await withPhoto(photo, (id) => api.state(id));
  save(await api.archive(ready.map((photo) => ({ id: photo.id, ...options(photo) }))), "instcolor.zip");
});

/** A film in which the color comes over the gray photo and goes again. */
const film = () => during($("film"), t("filming"), async () => {
  const { photo, painter } = view;
  const scale = Math.min(1, FILM.side / Math.max(painter.width, painter.height));
  const [width, height] = [painter.width, painter.height].map((length) => 2 * Math.round((length * scale) / 2));
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d");
  const recorder = new MediaRecorder(canvas.captureStream(FILM.rate), { videoBitsPerSecond: 6e6 });
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const ended = new Promise((done) => (recorder.onstop = done));
  const gray = await createImageBitmap(photo.grayImage);
  const begin = performance.now();
  recorder.start();
  await new Promise((done) => {
    const step = () => {
      const time = (performance.now() - begin) / 1000 / FILM.seconds;
      const split = width * (0.5 + 0.5 * Math.cos(2 * Math.PI * Math.min(1, time)));
      context.drawImage($("colored"), 0, 0, width, height);
      if (split >= 1) context.drawImage(gray, 0, 0, (split / width) * gray.width, gray.height, 0, 0, split, height);
      context.fillStyle = "#ffffff";
      context.fillRect(split - 1, 0, 2, height);
      if (time < 1) requestAnimationFrame(step);
      else done();
    };
    step();
  });
  recorder.stop();
  await ended;
  const ending = recorder.mimeType.includes("mp4") ? "mp4" : "webm";
  save(new Blob(parts, { type: recorder.mimeType }), `${stem(photo)}.${ending}`);
});

export function start() {
  const sizes = [[0, t("sizeFull")], [SCREEN, t("sizeScreen")]];
  for (const [width, height] of PRINTS) sizes.push([Math.round(height * PER_CENTIMETER), t("sizePrint", { width, height })]);
  $("size").replaceChildren(...sizes.map(([value, text]) => new Option(text, value)));
  for (const id of ["format", "quality", "size"]) $(id).addEventListener("input", show);
  $("download").addEventListener("click", download);
  $("all").addEventListener("click", downloadAll);
  $("film").addEventListener("click", film);
  $("film").hidden = !("MediaRecorder" in window);
  const probe = new File([""], "a.jpg", { type: "image/jpeg" });
  $("share").hidden = !navigator.canShare?.({ files: [probe] });
  $("share").addEventListener("click", share);
}
