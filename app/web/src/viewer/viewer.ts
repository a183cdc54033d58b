import type { Frame } from "../api/types";
import type { View } from "./view";

/** What draws an image into a pane. The page knows no more than this of how pixels get on the screen. */
export interface ImageViewer {
  /** Takes the frame to draw; nothing is drawn until `draw`. */
  load(frame: Frame): void;
  /** Draws the frame as `view` says, at the canvas's present size. */
  draw(view: View): void;
  dispose(): void;
}

/** onLost: the drawing surface died and what is on the screen cannot be trusted. */
export type OpenViewer = (canvas: HTMLCanvasElement, onLost: () => void) => ImageViewer;
