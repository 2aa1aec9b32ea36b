// From pixels to L*, and from L* to gray: the ways of `colorspace` in Python.

import { EPSILON, KINK, WHITE } from "../constants.js";
import { LIGHTNESS } from "../lab.js";
import { XYZ_FROM_RGB } from "./numbers.js";

const LEVELS = 16383; // steps of L* in the table of grays

const LINEAR = Float64Array.from({ length: 256 }, (_, i) => {
  const v = i / 255;
  return v > 0.04045 ? ((v + 0.055) / 1.055) ** 2.4 : v / 12.92;
});
const [RED, GREEN, BLUE] = XYZ_FROM_RGB[1].map((weight) => LINEAR.map((v) => v * weight));
const cube = (t) => (t > EPSILON ? Math.cbrt(t) : 7.787 * t + 16 / 116);

const GRAY = Uint8Array.from({ length: LEVELS + 1 }, (_, i) => {
  const f = ((100 * i) / LEVELS + 16) / 116;
  const y = Math.min(1, Math.max(0, f > KINK ? f ** 3 : (f - 16 / 116) / 7.787));
  return Math.round(255 * (y > 0.0031308 ? 1.055 * y ** (1 / 2.4) - 0.055 : 12.92 * y));
});

/** L* of an sRGB color with values 0..255. */
export const lightness = (r, g, b) =>
  r === g && g === b ? LIGHTNESS[r] : 116 * cube(RED[r] + GREEN[g] + BLUE[b]) - 16;

/** The gray 0..255 of a lightness. */
export const grayOf = (L) => GRAY[Math.min(LEVELS, Math.max(0, Math.round((L * LEVELS) / 100)))];

/** a* and b* of "#rrggbb". */
export function abOf(color) {
  const [r, g, b] = [1, 3, 5].map((at) => LINEAR[parseInt(color.slice(at, at + 2), 16)]);
  const [x, y, z] = XYZ_FROM_RGB.map(([mr, mg, mb], i) => cube((mr * r + mg * g + mb * b) / WHITE[i]));
  return [500 * (x - y), 200 * (y - z)];
}
