import type { Frame } from "./frame";

/** One level: the frame averaged over 2^n x 2^n pixels. */
export interface Level {
  rows: number;
  columns: number;
  values: Uint16Array;
}

/** Levels smaller than this on their longer side are never wanted. */
const SMALLEST = 256;

const made = new WeakMap<Frame, Level[]>();

/**
 * The frame at full, half, quarter … size. Averaging the values before the window is what keeps fine contrast when
 * a 2500-line film is shown on 900 lines, and it makes a window step cost the pixels shown, not the pixels stored.
 */
export function pyramid(frame: Frame): readonly Level[] {
  const known = made.get(frame);
  if (known !== undefined) return known;
  const levels: Level[] = [frame];
  let last: Level = frame;
  while (Math.max(last.rows, last.columns) >= 2 * SMALLEST) {
    last = halved(last);
    levels.push(last);
  }
  made.set(frame, levels);
  return levels;
}

/** The smallest level that still has a pixel for each pixel on the screen. scale: screen pixels per frame pixel. */
export function levelFor(levels: readonly Level[], scale: number): number {
  const wanted = Math.floor(Math.log2(1 / scale) + 1e-9);
  return Math.min(levels.length - 1, Math.max(0, wanted));
}

function halved({ rows, columns, values }: Level): Level {
  const half = { rows: Math.ceil(rows / 2), columns: Math.ceil(columns / 2) };
  const out = new Uint16Array(half.rows * half.columns);
  for (let row = 0; row < half.rows; row += 1) {
    const upper = 2 * row * columns;
    // an odd last row or column is averaged with itself
    const lower = Math.min(2 * row + 1, rows - 1) * columns;
    for (let column = 0; column < half.columns; column += 1) {
      const left = 2 * column;
      const right = Math.min(left + 1, columns - 1);
      const sum = at(values, upper + left) + at(values, upper + right) + at(values, lower + left) + at(values, lower + right);
      out[row * half.columns + column] = (sum + 2) >> 2;
    }
  }
  return { ...half, values: out };
}

function at(values: Uint16Array, index: number): number {
  return values[index] ?? 0;
}
