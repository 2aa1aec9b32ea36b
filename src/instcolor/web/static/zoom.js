// How large the photo is on the screen and which part of it: wheel, pinch, keys, panning.

import { watch, follow } from "./pointers.js";

const $ = (id) => document.getElementById(id);
const MOST = 8; // screen pixels for one of the photo
const NARROW = 820; // pixels of a screen on which the parts of the page stand below each other
const LOWEST = 280;
const state = { size: null, scale: 1, x: 0, y: 0, changed: () => {} };
let space = false;

/** Screen pixels (CSS) for a pixel of the photo when all of it is seen. */
function fit() {
  const [width, height] = state.size;
  return Math.min($("frame").clientWidth / width, room() / height);
}

/** Pixels that the photo may be high. */
const room = () => (innerWidth <= NARROW ? innerHeight * 0.55 : Math.max(LOWEST, innerHeight - 310));
const full = () => 1 / (fit() * devicePixelRatio); // the scale at which a pixel is a pixel

/** A photo of [width, height] that is seen whole. */
export function show(size) {
  const same = state.size && state.size[0] === size[0] && state.size[1] === size[1];
  state.size = size;
  if (!same) whole();
  else place();
}

export const whole = () => to(1);
export const isZoomed = () => state.scale > 1.001;
/** Pixels of the screen that the photo is wide. */
export const width = () => state.size[0] * fit() * state.scale * devicePixelRatio;

/** Between the whole photo and one pixel for a pixel. */
export const toggle = () => to(Math.abs(state.scale - full()) < 0.01 ? 1 : full());
export const by = (factor) => to(state.scale * factor);

/** To a scale (1 is the whole photo), keeping the point of the screen (in the middle of the frame by default). */
function to(scale, at) {
  if (!state.size) return;
  const frame = $("frame").getBoundingClientRect();
  const stage = $("stage").getBoundingClientRect();
  const point = at ?? { x: frame.left + frame.width / 2, y: frame.top + frame.height / 2 };
  const share = [(point.x - stage.left) / Math.max(1, stage.width), (point.y - stage.top) / Math.max(1, stage.height)];
  state.scale = Math.min(Math.max(scale, Math.min(1, full())), Math.max(1, full() * MOST));
  const [across, down] = shown();
  state.x = point.x - frame.left - share[0] * across;
  state.y = point.y - frame.top - share[1] * down;
  place();
}

const shown = () => state.size.map((side) => side * fit() * state.scale);

function pan(dx, dy) {
  state.x += dx;
  state.y += dy;
  place();
}

/** Puts the photo where it belongs: never away from the frame's sides, in its middle where it is smaller. */
function place() {
  if (!state.size) return;
  const frame = $("frame");
  const [across, down] = shown();
  frame.style.height = `${Math.min(room(), Math.max(down, LOWEST))}px`;
  const inside = (at, long, side) => (long <= side ? (side - long) / 2 : Math.min(0, Math.max(side - long, at)));
  state.x = inside(state.x, across, frame.clientWidth);
  state.y = inside(state.y, down, frame.clientHeight);
  Object.assign($("stage").style, { width: `${across}px`, height: `${down}px`, transform: `translate(${state.x}px, ${state.y}px)` });
  frame.classList.toggle("zoomed", isZoomed());
  $("zoom").textContent = `${Math.round((100 * state.scale) / full())} %`;
  state.changed();
}

/** Whether a press means to move the photo itself. */
export const pans = (event, tool) => event.button === 1 || space || (tool === "compare" && isZoomed());

export function grab(event) {
  event.preventDefault();
  let last = event;
  follow($("stage"), event, (at) => {
    pan(at.clientX - last.clientX, at.clientY - last.clientY);
    last = at;
  }, () => {});
}

/** Calls `changed` whenever the photo has another place or size. */
export function start(changed) {
  state.changed = changed;
  const frame = $("frame");
  frame.addEventListener("wheel", (event) => {
    if (!state.size) return;
    event.preventDefault();
    to(state.scale * Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)), { x: event.clientX, y: event.clientY });
  }, { passive: false });
  watch(frame, ({ x, y, scale, dx, dy }) => {
    to(state.scale * scale, { x: x - dx, y: y - dy });
    pan(dx, dy);
  });
  for (const [name, held] of [["keydown", true], ["keyup", false]]) {
    addEventListener(name, (event) => {
      if (event.key === " " && event.target === document.body) {
        space = held;
        if (held && state.size) event.preventDefault();
      }
    });
  }
  $("zoom").addEventListener("click", toggle);
  $("zoom-in").addEventListener("click", () => by(1.5));
  $("zoom-out").addEventListener("click", () => by(1 / 1.5));
  $("zoom-fit").addEventListener("click", whole);
  let seen = 0; // only the width comes from outside
  new ResizeObserver(() => {
    if (seen !== frame.clientWidth) place();
    seen = frame.clientWidth;
  }).observe(frame);
}
