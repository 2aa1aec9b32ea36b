// What comes in: files and folders that are dropped, chosen or pasted, and smaller copies of what is too large.

import { t } from "./words.js";

const PHOTO = /\.(jpe?g|jpe|jfif|png|tiff?|webp|bmp|hei[cf])$/i;

/** Files of a drop, with those of folders and their subfolders; `skipped` counts what lies there beside photos. */
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile()).filter(Boolean);
  const found = { files: [], skipped: 0, folders: 0 };
  for (const entry of entries) await walk(entry, found, false);
  return found;
}

/** The photos among chosen files; all of them where a person has chosen them one by one. */
export function chosen(list) {
  const files = [...list];
  const inFolder = files.some((file) => file.webkitRelativePath);
  const photos = inFolder ? files.filter((file) => PHOTO.test(file.name)) : files;
  return { files: photos, skipped: files.length - photos.length, folders: Number(inFolder) };
}

async function walk(entry, found, inside) {
  if (entry instanceof File) {
    found.files.push(entry);
  } else if (entry.isFile) {
    if (inside && !PHOTO.test(entry.name)) found.skipped++;
    else found.files.push(await new Promise((done, failed) => entry.file(done, failed)));
  } else if (entry.isDirectory) {
    found.folders++;
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((done, failed) => reader.readEntries(done, failed));
      if (!some.length) break;
      for (const one of some.sort((a, b) => a.name.localeCompare(b.name))) await walk(one, found, true);
    }
  }
}

/** What a person should know of what came in; "" where nothing. */
export function about({ files, skipped, folders }) {
  if (folders && !files.length) return t("emptyFolder");
  return skipped ? t("skipped", { n: skipped }) : "";
}

/** A copy of a file with at most so many pixels, as JPEG; null where the browser cannot read it. */
export async function smaller(file, pixels) {
  const whole = await createImageBitmap(file).catch(() => null);
  if (!whole) return null;
  const scale = Math.min(1, Math.sqrt((0.98 * pixels) / (whole.width * whole.height)));
  const canvas = new OffscreenCanvas(Math.floor(whole.width * scale), Math.floor(whole.height * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(whole, 0, 0, canvas.width, canvas.height);
  whole.close();
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.95 });
  return new File([blob], `${file.name.replace(/\.[^.]+$/, "")}.jpg`, { type: "image/jpeg" });
}
