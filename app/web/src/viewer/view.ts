import type { Frame, Orientation } from "./frame";
import type { Window } from "./window_level";

/**
 * How one image is looked at. zoom: 1 = the whole image fits; pan: in CSS pixels from the pane's centre.
 * mirrored: left and right swapped, before it is turned by `turns` quarters clockwise.
 */
export interface View {
  window: Window;
  invert: boolean;
  zoom: number;
  pan: Point;
  turns: number;
  mirrored: boolean;
}

export interface Size {
  width: number;
  height: number;
}

export interface Point {
  x: number;
  y: number;
}

export type Shape = Pick<Frame, "rows" | "columns" | "aspect">;
export type Placing = Pick<View, "zoom" | "pan" | "turns" | "mirrored">;

export const ZOOM = { smallest: 0.1, largest: 20 } as const;

export function homeView(frame: Pick<Frame, "window">): View {
  return { window: frame.window, invert: false, zoom: 1, pan: { x: 0, y: 0 }, turns: 0, mirrored: false };
}

/** CSS pixels per column of the image. */
export function scaleOf(shape: Shape, box: Size, view: Placing): number {
  const across = turned({ x: shape.columns, y: shape.rows * shape.aspect }, view.turns);
  return Math.min(box.width / Math.abs(across.x), box.height / Math.abs(across.y)) * view.zoom;
}

/** Where a point of the image (in its pixels, from the corner of the first one) lies in the pane, in CSS pixels from its corner. */
export function toScreen(point: Point, shape: Shape, box: Size, view: Placing): Point {
  const scale = scaleOf(shape, box, view);
  const x = (point.x - shape.columns / 2) * scale * (view.mirrored ? -1 : 1);
  const y = (point.y - shape.rows / 2) * scale * shape.aspect;
  const at = turned({ x, y }, view.turns);
  return { x: box.width / 2 + view.pan.x + at.x, y: box.height / 2 + view.pan.y + at.y };
}

/** The point of the image that lies there; it may be outside of the image. */
export function toImage(point: Point, shape: Shape, box: Size, view: Placing): Point {
  const scale = scaleOf(shape, box, view);
  const away = { x: point.x - box.width / 2 - view.pan.x, y: point.y - box.height / 2 - view.pan.y };
  const at = turned(away, -view.turns);
  return { x: (at.x / scale) * (view.mirrored ? -1 : 1) + shape.columns / 2, y: at.y / scale / shape.aspect + shape.rows / 2 };
}

/** Zooms so that the image point under `at` (from the pane's centre) stays where it is. */
export function zoomed(view: View, factor: number, at: Point = { x: 0, y: 0 }): View {
  const zoom = Math.min(ZOOM.largest, Math.max(ZOOM.smallest, view.zoom * factor));
  const ratio = zoom / view.zoom;
  return { ...view, zoom, pan: { x: at.x - (at.x - view.pan.x) * ratio, y: at.y - (at.y - view.pan.y) * ratio } };
}

export function panned(view: View, dx: number, dy: number): View {
  return { ...view, pan: { x: view.pan.x + dx, y: view.pan.y + dy } };
}

/** quarters: clockwise; what lies in the middle of the pane stays there. */
export function rotated(view: View, quarters: number): View {
  return { ...view, turns: quartersOf(view.turns + quarters), pan: turned(view.pan, quarters) };
}

/** Swaps left and right as they are on the screen now. */
export function flippedAcross(view: View): View {
  return { ...view, mirrored: !view.mirrored, turns: quartersOf(-view.turns), pan: { x: -view.pan.x, y: view.pan.y } };
}

/** Swaps top and bottom as they are on the screen now. */
export function flippedDown(view: View): View {
  return { ...view, mirrored: !view.mirrored, turns: quartersOf(2 - view.turns), pan: { x: view.pan.x, y: -view.pan.y } };
}

export function fitted(view: View): View {
  return { ...view, zoom: 1, pan: { x: 0, y: 0 } };
}

/** One image pixel on one screen pixel, exactly over it. density: screen pixels per CSS pixel. */
export function oneToOne(view: View, shape: Shape, box: Size, density: number): View {
  const zoom = view.zoom / (scaleOf(shape, box, view) * density);
  const across = turned({ x: shape.columns, y: shape.rows }, view.turns);
  const halfPixel = (side: number, image: number) => (Math.abs(Math.round(side * density) - Math.abs(image)) % 2) / 2 / density;
  return { ...view, zoom, pan: { x: halfPixel(box.width, across.x), y: halfPixel(box.height, across.y) } };
}

const OPPOSITE: Readonly<Record<string, string>> = { L: "R", R: "L", A: "P", P: "A", H: "F", F: "H" };

/** The patient side at the other edge: "L" for "R", "LP" for "RA". */
export function opposite(side: string): string {
  return Array.from(side, (letter) => OPPOSITE[letter] ?? letter).join("");
}

/** The patient's sides at the pane's edges, as the image lies now. */
export function edges({ right, bottom }: Orientation, view: Placing): { right: string; bottom: string; left: string; top: string } {
  const across = view.mirrored ? opposite(right) : right;
  const clockwise = [across, bottom, opposite(across), opposite(bottom)];
  const at = (edge: number) => clockwise[quartersOf(edge - view.turns)] ?? "";
  return { right: at(0), bottom: at(1), left: at(2), top: at(3) };
}

/** Turned clockwise about the origin, y down. */
export function turned({ x, y }: Point, quarters: number): Point {
  const turns = quartersOf(quarters);
  if (turns === 1) return { x: -y, y: x };
  if (turns === 2) return { x: -x, y: -y };
  return turns === 3 ? { x: y, y: -x } : { x, y };
}

function quartersOf(turns: number): number {
  return ((turns % 4) + 4) % 4;
}
