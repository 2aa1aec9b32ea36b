// From pixels to L*, and from L* to gray: the ways of `colorspace` in Python.

import { EPSILON, KINK, RGB_FROM_XYZ, WHITE } from "../constants.js";
import { LIGHTNESS } from "../lab.js";
import { XYZ_FROM_RGB } from "./numbers.js";

const LEVELS = 65535; // steps of light in the table of grays

const LINEAR = Float64Array.from({ length: 256 }, (_, i) => {
  const v = i / 255;
  return v > 0.04045 ? ((v + 0.055) / 1.055) ** 2.4 : v / 12.92;
});
const [RED, GREEN, BLUE] = XYZ_FROM_RGB[1].map((weight) => LINEAR.map((v) => v * weight));
const cube = (t) => (t > EPSILON ? Math.cbrt(t) : 7.787 * t + 16 / 116);

const GRAY = Uint8Array.from({ length: LEVELS + 1 }, (_, i) => {
  const v = i / LEVELS;
  return Math.round(255 * (v > 0.0031308 ? 1.055 * v ** (1 / 2.4) - 0.055 : 12.92 * v));
});
const NEUTRAL = LEVELS * RGB_FROM_XYZ[0].reduce((sum, v, i) => sum + v * WHITE[i], 0); // what white is in red

/** L* of an sRGB color with values 0..255. */
export const lightness = (r, g, b) =>
  r === g && g === b ? LIGHTNESS[r] : 116 * cube(RED[r] + GREEN[g] + BLUE[b]) - 16;

/** The gray 0..255 of a lightness. */
export function grayOf(L) {
  const f = (Math.min(100, Math.max(0, L)) + 16) / 116;
  const light = f > KINK ? f * f * f : (f - 16 / 116) / 7.787;
  return GRAY[Math.min(LEVELS, Math.trunc(NEUTRAL * Math.max(0, light) + 0.5))];
}

/** a* and b* of "#rrggbb". */
export function abOf(color) {
  const [r, g, b] = [1, 3, 5].map((at) => LINEAR[parseInt(color.slice(at, at + 2), 16)]);
  const [x, y, z] = XYZ_FROM_RGB.map(([mr, mg, mb], i) => cube((mr * r + mg * g + mb * b) / WHITE[i]));
  return [500 * (x - y), 200 * (y - z)];
}
