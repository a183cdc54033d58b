import type { Frame } from "./frame";
import type { Point } from "./view";

export type Ruler = "length" | "angle";

/** points: in pixels of the image; a length has two, an angle the two ends of each of its two lines. */
export interface Measurement {
  ruler: Ruler;
  points: readonly Point[];
}

export const POINTS: Readonly<Record<Ruler, number>> = { length: 2, angle: 4 };

/** "43.2 mm (calibrated)", "43.2 mm at the detector", "312 px, spacing unknown", "12.3°". */
export function inWords({ ruler, points }: Measurement, frame: Pick<Frame, "spacing" | "aspect">): string {
  const [one, two, three, four] = points;
  if (one === undefined || two === undefined) return "";
  if (ruler === "length") return lengthInWords(one, two, frame);
  return three === undefined || four === undefined ? "" : `${angle(along(one, two, frame), along(three, four, frame)).toFixed(1)}°`;
}

function lengthInWords(from: Point, to: Point, frame: Pick<Frame, "spacing" | "aspect">): string {
  const { x, y } = along(from, to, frame);
  const length = Math.hypot(x, y);
  if (frame.spacing === null) return `${Math.round(length)} px, spacing unknown`;
  return `${length.toFixed(1)} mm ${frame.spacing.calibrated ? "(calibrated)" : "at the detector"}`;
}

/** Millimetres across and down, or columns where the spacing is unknown. */
function along(from: Point, to: Point, { spacing, aspect }: Pick<Frame, "spacing" | "aspect">): Point {
  const [column, row] = spacing === null ? [1, aspect] : [spacing.column, spacing.row];
  return { x: (to.x - from.x) * column, y: (to.y - from.y) * row };
}

/** Between two lines, 0-90 degrees, in whichever direction they were drawn. */
function angle(one: Point, other: Point): number {
  const cosine = Math.abs(one.x * other.x + one.y * other.y) / (Math.hypot(one.x, one.y) * Math.hypot(other.x, other.y) || 1);
  return (Math.acos(Math.min(1, cosine)) * 180) / Math.PI;
}
