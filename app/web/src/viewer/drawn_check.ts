import type { Frame } from "./frame";
import { levelFor, pyramid } from "./pyramid";
import { scaleOf, toImage, type Size, type View } from "./view";
import { greyLevel } from "./window_level";

/** Cells across and down in which the picture is compared. */
export const CELLS = 24;
/** Cells of the image below which nothing can be said. */
const FEWEST = 16;
/** Standard deviation of grey levels below which a picture is flat. */
const FLAT = 8;
/** Mean difference in grey levels, and correlation, of a picture that is the image: noise and smoothing stay far within. */
const MOST_APART = 40;
const LEAST_ALIKE = 0.3;

/**
 * Whether what was drawn is the frame under this view: not blank, not another polarity, not white all over. drawn: grey
 * levels at the middles of CELLS x CELLS equal cells of the pane. True also where too little of the image is in the pane to tell.
 */
export function isFaithful(frame: Frame, view: View, box: Size, density: number, drawn: Uint8Array): boolean {
  const [expected, seen] = pairs(frame, view, box, density, drawn);
  if (expected.length < FEWEST) return true;
  if (mean(expected.map((grey, at) => Math.abs(grey - (seen[at] ?? 0)))) > MOST_APART) return false;
  return deviation(expected) < FLAT || correlation(expected, seen) >= LEAST_ALIKE;
}

function pairs(frame: Frame, view: View, box: Size, density: number, drawn: Uint8Array): [number[], number[]] {
  const levels = pyramid(frame);
  const power = levelFor(levels, scaleOf(frame, box, view) * density);
  const level = levels[power] ?? frame;
  const [expected, seen]: [number[], number[]] = [[], []];
  for (const [cell, grey] of drawn.entries()) {
    const at = { x: (((cell % CELLS) + 0.5) * box.width) / CELLS, y: ((Math.floor(cell / CELLS) + 0.5) * box.height) / CELLS };
    const point = toImage(at, frame, box, view);
    if (point.x < 0 || point.y < 0 || point.x >= frame.columns || point.y >= frame.rows) continue;
    const [column, row] = [Math.floor(point.x / 2 ** power), Math.floor(point.y / 2 ** power)];
    const value = greyLevel(level.values[row * level.columns + column] ?? 0, view.window.center, view.window.width);
    expected.push(view.invert ? 255 - value : value);
    seen.push(grey);
  }
  return [expected, seen];
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}

function deviation(numbers: readonly number[]): number {
  const middle = mean(numbers);
  return Math.sqrt(mean(numbers.map((number) => (number - middle) ** 2)));
}

function correlation(one: readonly number[], other: readonly number[]): number {
  const [left, right] = [mean(one), mean(other)];
  const together = mean(one.map((number, at) => (number - left) * ((other[at] ?? 0) - right)));
  return together / Math.max(1e-9, deviation(one) * deviation(other));
}
