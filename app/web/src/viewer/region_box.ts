import { toScreen, type Placing, type Point, type Shape, type Size } from "./view";

/** A part of an image, in shares of its width and height from its upper left corner. */
export interface Part {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export interface Rectangle extends Size, Point {}

/** Of a number beside a box, in CSS pixels: large enough to be pressed. */
export const LABEL: Size = { width: 28, height: 26 };

/** Where a part of the image lies in the pane, in CSS pixels from its corner; quarter turns keep it a rectangle. */
export function onScreen(part: Part, shape: Shape, box: Size, view: Placing): Rectangle {
  const place = (x: number, y: number) => toScreen({ x: x * shape.columns, y: y * shape.rows }, shape, box, view);
  const [one, other] = [place(part.left, part.top), place(part.right, part.bottom)];
  return { x: Math.min(one.x, other.x), y: Math.min(one.y, other.y), width: Math.abs(one.x - other.x), height: Math.abs(one.y - other.y) };
}

/** Where the labels of the rectangles stand: at the upper left corner, but in the pane, and none over another. */
export function labelPlaces(rectangles: readonly Rectangle[], box: Size): Point[] {
  const taken: Point[] = [];
  for (const { x, y } of rectangles) {
    const at = { x: within(x, box.width - LABEL.width), y: within(y, box.height - LABEL.height) };
    for (let other = blocked(at, taken); other !== undefined; other = blocked(at, taken)) {
      at.x = other.x + LABEL.width;
      if (at.x > box.width - LABEL.width) Object.assign(at, { x: 0, y: at.y + LABEL.height });
    }
    taken.push(at);
  }
  return taken;
}

function blocked(at: Point, taken: readonly Point[]): Point | undefined {
  return taken.find(({ x, y }) => Math.abs(x - at.x) < LABEL.width && Math.abs(y - at.y) < LABEL.height);
}

/** In whole pixels: with fractions, one label's width further may still be a hair too near. */
function within(value: number, most: number): number {
  return Math.round(Math.max(0, Math.min(most, value)));
}
