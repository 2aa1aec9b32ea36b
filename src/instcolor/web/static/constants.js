// Written by python -m instcolor.web.page_constants: the numbers that Python has.
export const ANCHORS = 3;
export const TUNING = {"style": 0.5, "saturation": 1.0, "strength": 1.0, "warmth": 0.0};
export const WARM = [3.0, 12.0];
export const PLANE_STEPS = 128;
export const EDGE_VARIANCE = 80.0;
export const RGB_FROM_XYZ = [[3.2404813432005266, -1.5371515162713185, -0.4985363261688878], [-0.9692549499965682, 1.8759900014898907, 0.04155592655829284], [0.05564663913517716, -0.20404133836651123, 1.0573110696453443]];
export const WHITE = [0.95047, 1.0, 1.08883];
export const EPSILON = 0.008856;
export const KINK = 0.2068966;
export const GAMUT_TOLERANCE = 0.0001;
export const MAX_STROKE_POINTS = 500;
