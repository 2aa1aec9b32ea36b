// Colors: the same constants and the same way of fitting colors into sRGB as on the server (L* and hue are kept).

import { EPSILON, GAMUT_TOLERANCE, KINK, RGB_FROM_XYZ, WHITE } from "./constants.js";

// linear sRGB from f(X), f(Y), f(Z) cubed: the matrix with the white in it
const [[RX, RY, RZ], [GX, GY, GZ], [BX, BY, BZ]] = RGB_FROM_XYZ.map((row) => row.map((v, i) => v * WHITE[i]));
const LEVELS = 16383;
const STEPS = 7;

export const ENCODE = new Uint8Array(LEVELS + 1);
for (let i = 0; i <= LEVELS; i++) {
  const v = i / LEVELS;
  ENCODE[i] = Math.round(255 * (v > 0.0031308 ? 1.055 * v ** (1 / 2.4) - 0.055 : 12.92 * v));
}

/** L* of the 256 sRGB grays. */
export const LIGHTNESS = Float32Array.from({ length: 256 }, (_, i) => {
  const v = i / 255;
  const y = v > 0.04045 ? ((v + 0.055) / 1.055) ** 2.4 : v / 12.92;
  return y > EPSILON ? 116 * Math.cbrt(y) - 16 : 903.3 * y;
});

const uncube = (f) => (f > KINK ? f * f * f : (f - 16 / 116) * (1 / 7.787));
const LOW = -GAMUT_TOLERANCE;
const HIGH = 1 + GAMUT_TOLERANCE;

/** One color as 0xffBBGGRR, as canvases hold it. L* 0..100. More steps fit colors more closely into sRGB. */
export function pack(L, a, b, steps = STEPS) {
  const fy = (L + 16) * (1 / 116);
  const y = uncube(fy);
  let dx = a * (1 / 500);
  let dz = b * (-1 / 200);
  let x = uncube(fy + dx);
  let z = uncube(fy + dz);
  let r = RX * x + RY * y + RZ * z;
  let g = GX * x + GY * y + GZ * z;
  let bl = BX * x + BY * y + BZ * z;
  if (r < LOW || g < LOW || bl < LOW || r > HIGH || g > HIGH || bl > HIGH) {
    const kept = fitting(fy, y, dx, dz, steps);
    dx *= kept;
    dz *= kept;
    x = uncube(fy + dx);
    z = uncube(fy + dz);
    r = RX * x + RY * y + RZ * z;
    g = GX * x + GY * y + GZ * z;
    bl = BX * x + BY * y + BZ * z;
  }
  r = r <= 0 ? 0 : r >= 1 ? LEVELS : (r * LEVELS + 0.5) | 0;
  g = g <= 0 ? 0 : g >= 1 ? LEVELS : (g * LEVELS + 0.5) | 0;
  bl = bl <= 0 ? 0 : bl >= 1 ? LEVELS : (bl * LEVELS + 0.5) | 0;
  return (255 << 24) | (ENCODE[bl] << 16) | (ENCODE[g] << 8) | ENCODE[r];
}

/** The share of its chroma with which a color is inside sRGB. */
function fitting(fy, y, dx, dz, steps) {
  let kept = 0;
  for (let step = 0.5, i = 0; i < steps; i++, step *= 0.5) {
    const share = kept + step;
    const x = uncube(fy + dx * share);
    const z = uncube(fy + dz * share);
    const r = RX * x + RY * y + RZ * z;
    if (r < LOW || r > HIGH) continue;
    const g = GX * x + GY * y + GZ * z;
    if (g < LOW || g > HIGH) continue;
    const bl = BX * x + BY * y + BZ * z;
    if (bl >= LOW && bl <= HIGH) kept = share;
  }
  return kept;
}

/** One color as "#rrggbb". */
export function hex(L, a, b) {
  const value = pack(L, a, b);
  return `#${[value & 255, (value >> 8) & 255, (value >> 16) & 255].map((v) => v.toString(16).padStart(2, "0")).join("")}`;
}
