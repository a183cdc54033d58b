import type { Frame } from "../api/types";
import type { Window } from "./window_level";

/** How one image is looked at. zoom: 1 = the whole image fits; pan: in screen pixels from the centre. */
export interface View {
  window: Window;
  invert: boolean;
  zoom: number;
  pan: { x: number; y: number };
}

export interface Size {
  width: number;
  height: number;
}

export interface Rect extends Size {
  x: number;
  y: number;
}

export const ZOOM = { smallest: 0.5, largest: 20 } as const;

export function homeView(frame: Frame): View {
  return { window: frame.window, invert: false, zoom: 1, pan: { x: 0, y: 0 } };
}

/** Where the whole image lies on the canvas, in canvas pixels; parts may lie outside. */
export function placement(frame: Pick<Frame, "rows" | "columns" | "aspect">, canvas: Size, view: Pick<View, "zoom" | "pan">): Rect {
  const tall = frame.rows * frame.aspect;
  const fit = Math.min(canvas.width / frame.columns, canvas.height / tall);
  const [width, height] = [frame.columns * fit * view.zoom, tall * fit * view.zoom];
  return { x: (canvas.width - width) / 2 + view.pan.x, y: (canvas.height - height) / 2 + view.pan.y, width, height };
}

/** Zooms so that the image point under `at` (from the canvas centre, canvas pixels) stays where it is. */
export function zoomed(view: View, factor: number, at = { x: 0, y: 0 }): View {
  const zoom = Math.min(ZOOM.largest, Math.max(ZOOM.smallest, view.zoom * factor));
  const ratio = zoom / view.zoom;
  return { ...view, zoom, pan: { x: at.x - (at.x - view.pan.x) * ratio, y: at.y - (at.y - view.pan.y) * ratio } };
}

export function panned(view: View, dx: number, dy: number): View {
  return { ...view, pan: { x: view.pan.x + dx, y: view.pan.y + dy } };
}
