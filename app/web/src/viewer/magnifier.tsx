import { useEffect, useRef } from "react";
import type { Frame } from "./frame";
import { scaleOf, toImage, type Point, type Size, type View } from "./view";
import { greyTable } from "./window_level";

const GLASS = 240;
const POWER = 2.5;

/** A round glass over `at`, drawn from the stored pixels and not from what is on the screen. */
export function Magnifier({ frame, view, box, at }: { frame: Frame; view: View; box: Size; at: Point }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext("2d", { alpha: false });
    if (!context) return;
    const image = context.createImageData(GLASS, GLASS);
    magnify(image.data, frame, view, box, at);
    context.putImageData(image, 0, 0);
  }, [frame, view, box, at]);
  useEffect(() => {
    if (canvas.current === null) return;
    canvas.current.style.left = `${at.x - GLASS / 2}px`;
    canvas.current.style.top = `${at.y - GLASS / 2}px`;
  }, [at]);
  return <canvas ref={canvas} className="glass" width={GLASS} height={GLASS} aria-hidden="true" />;
}

function magnify(pixels: Uint8ClampedArray, frame: Frame, view: View, box: Size, at: Point): void {
  const table = greyTable(view.window, view.invert);
  // never less than the image's own pixels: a glass that shows no more is of no use
  const power = Math.max(POWER, 1 / scaleOf(frame, box, view));
  const corner = (x: number, y: number) => toImage({ x: at.x + (x - GLASS / 2) / power, y: at.y + (y - GLASS / 2) / power }, frame, box, view);
  const [origin, right, down] = [corner(0, 0), corner(1, 0), corner(0, 1)];
  for (let y = 0, to = 0; y < GLASS; y += 1) {
    for (let x = 0; x < GLASS; x += 1, to += 4) {
      const column = origin.x + x * (right.x - origin.x) + y * (down.x - origin.x);
      const row = origin.y + x * (right.y - origin.y) + y * (down.y - origin.y);
      const grey = inside(frame, column, row) ? (table[smooth(frame, column - 0.5, row - 0.5)] ?? 0) : 0;
      pixels[to] = grey;
      pixels[to + 1] = grey;
      pixels[to + 2] = grey;
      pixels[to + 3] = 255;
    }
  }
}

function inside({ columns, rows }: Frame, column: number, row: number): boolean {
  return column >= 0 && row >= 0 && column < columns && row < rows;
}

/** The value between four pixels. */
function smooth(frame: Frame, column: number, row: number): number {
  const [left, upper] = [Math.floor(column), Math.floor(row)];
  const [x, y] = [column - left, row - upper];
  const above = valueAt(frame, left, upper) * (1 - x) + valueAt(frame, left + 1, upper) * x;
  const below = valueAt(frame, left, upper + 1) * (1 - x) + valueAt(frame, left + 1, upper + 1) * x;
  return Math.round(above * (1 - y) + below * y);
}

function valueAt({ values, columns, rows }: Frame, column: number, row: number): number {
  const [inColumn, inRow] = [Math.min(columns - 1, Math.max(0, column)), Math.min(rows - 1, Math.max(0, row))];
  return values[inRow * columns + inColumn] ?? 0;
}
