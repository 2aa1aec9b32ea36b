// Where the name of a box stands: beside it, and never on a face.

import { view } from "./viewer.js";

const $ = (id) => document.getElementById(id);
const HEADS = new Set(["face", "head"]);
const HEAD_SHARE = [0.25, 0.3]; // of a person's box: its upper part, without the sides

/** Boxes of faces: those that were found, and where the head of a person is likely. */
function faces(objects) {
  return objects.flatMap(({ box: [x0, y0, x1, y1], label }) => {
    if (HEADS.has(label)) return [[x0, y0, x1, y1]];
    if (label !== "person") return [];
    const side = HEAD_SHARE[0] * (x1 - x0);
    return [[x0 + side, y0, x1 - side, y0 + HEAD_SHARE[1] * (y1 - y0)]];
  });
}

const meet = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

/** Puts every name above its box, below it or at its foot, wherever there is room and no face. */
export function placeTags() {
  if (!view.photo?.objects || !$("boxes").offsetWidth) return;
  const scale = $("boxes").offsetWidth / view.photo.size[0];
  const heads = faces(view.photo.objects);
  [...$("boxes").children].forEach((element, i) => {
    const tag = element.querySelector(".label");
    if (!tag || !view.photo.objects[i]) return;
    const [x0, y0, x1, y1] = view.photo.objects[i].box;
    const [width, height] = [tag.offsetWidth / scale, tag.offsetHeight / scale];
    const left = Math.max(0, Math.min(x0, view.photo.size[0] - width));
    const rows = { above: y0 - height, below: y1, foot: y1 - height, top: y0 };
    const fits = ([, y]) => y >= 0 && y + height <= view.photo.size[1]
      && !heads.some((head) => meet([left, y, left + width, y + height], head));
    const [name, y] = Object.entries(rows).find(fits) ?? ["foot", rows.foot];
    tag.dataset.at = name;
    Object.assign(tag.style, { left: `${(left - x0) * scale - element.clientLeft}px`, top: `${(y - y0) * scale - element.clientTop}px` });
  });
}
