// Files of photos to lightness, and lightness with colors to files again, in bands: a large photo is never there twice.

import { TUNING } from "../constants.js";
import { marked } from "./files.js";
import { grayOf, lightness } from "./light.js";
import { PIXELS, PREVIEW } from "./numbers.js";
import { painting } from "./painting.js";
import { plane, resize, round } from "./planes.js";

const BAND = 256; // rows
const QUALITY = 0.92; // of a JPEG, where nobody asks for another

/** A photo's lightness { width, height, data } and opacity (a plane, or null where it is all opaque). */
export async function read(file) {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw Object.assign(new Error(), { code: "bad_photo" });
  });
  const { width, height } = bitmap;
  if (width * height > PIXELS) {
    bitmap.close();
    throw Object.assign(new Error(), { code: "too_many_pixels" });
  }
  const [L, alpha] = [plane(width, height), plane(width, height, new Uint8Array(width * height))];
  let opaque = true;
  const context = new OffscreenCanvas(width, Math.min(BAND, height)).getContext("2d", { willReadFrequently: true });
  for (let top = 0; top < height; top += BAND) {
    const rows = Math.min(BAND, height - top);
    context.clearRect(0, 0, width, rows);
    context.drawImage(bitmap, 0, -top);
    const { data } = context.getImageData(0, 0, width, rows);
    for (let i = 0, at = top * width; i < data.length; i += 4, at++) {
      L.data[at] = lightness(data[i], data[i + 1], data[i + 2]);
      alpha.data[at] = data[i + 3];
      if (data[i + 3] < 255) opaque = false;
    }
  }
  bitmap.close();
  return { L, alpha: opaque ? null : alpha };
}

/** A plane with its longer side `side` cells at most. */
function shrunk(given, side) {
  const scale = Math.min(1, side / Math.max(given.width, given.height));
  return scale === 1 ? given : resize(given, ...[given.width, given.height].map((length) => Math.max(1, round(length * scale))));
}

/** Fills a band with gray. */
const grays = (L, from, out) => out.forEach((_, i) => (out[i] = 0xff000000 | (0x010101 * grayOf(L.data[from + i]))));

/** A JPEG file of the photo in gray, as large as a page shows it. */
export async function gray(L) {
  const small = shrunk(L, PREVIEW);
  const image = new ImageData(small.width, small.height);
  grays(small, 0, new Uint32Array(image.data.buffer));
  const canvas = new OffscreenCanvas(small.width, small.height);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
}

/** The file of a photo in color. `look`: { styles, layer }; options as the server has them; `mark` is its XMP. */
export async function paint({ L, alpha }, { styles, layer }, options, mark) {
  const light = options.side ? shrunk(L, options.side) : L;
  const covered = alpha && (options.side ? shrunk(alpha, options.side) : alpha);
  const { width, height } = light;
  const fill = painting(light, styles, layer, { ...TUNING, ...options });
  const across = options.beside ? 2 * width : width;
  const canvas = new OffscreenCanvas(across, height);
  const context = canvas.getContext("2d");
  for (let top = 0; top < height; top += BAND) {
    const bottom = Math.min(height, top + BAND);
    const image = new ImageData(width, bottom - top);
    const out = new Uint32Array(image.data.buffer);
    fill(top, bottom, out);
    cover(image.data, covered, top * width, options.format);
    context.putImageData(image, across - width, top);
    if (!options.beside) continue;
    grays(light, top * width, out);
    cover(image.data, covered, top * width, options.format);
    context.putImageData(image, 0, top);
  }
  const quality = options.quality ? options.quality / 100 : QUALITY;
  const blob = await canvas.convertToBlob({ type: `image/${options.format.toLowerCase()}`, quality });
  return marked(blob, options.format, mark);
}

/** Gives RGBA values their opacity; on white where the format has none. */
function cover(data, alpha, from, format) {
  if (!alpha) return;
  for (let i = 0, at = from; i < data.length; i += 4, at++) {
    if (format === "PNG") data[i + 3] = alpha.data[at];
    else for (let c = 0; c < 3; c++) data[i + c] = (data[i + c] * alpha.data[at] + 255 * (255 - alpha.data[at])) / 255;
  }
}
