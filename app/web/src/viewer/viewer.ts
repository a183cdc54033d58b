import type { Frame } from "./frame";
import type { View } from "./view";

/**
 * What draws an image into a pane. The page knows no more than this of how pixels get on the screen: tools, links and
 * measurements are arithmetic on `View`, the same whatever draws.
 */
export interface ImageViewer {
  /** Takes the frame; drawn when a view is shown. Rejects where the surface cannot hold it. */
  load(frame: Frame): Promise<void>;
  /** Draws the frame as `view` says, at the pane's present size, in the next animation frame. */
  show(view: View): void;
  /** Grey levels that are on the screen, at the middles of columns x rows equal cells of the pane, row by row. */
  sample(columns: number, rows: number): Uint8Array;
  dispose(): void;
}

export interface Listener {
  /** `view` is on the screen. */
  onDrawn(view: View): void;
  /** What is on the screen cannot be trusted any more; the words say why. */
  onLost(why: string): void;
}

/** Opens a viewer in an empty element, which it fills; resolves when it can take a frame. */
export type OpenViewer = (element: HTMLDivElement, listener: Listener) => Promise<ImageViewer>;

/** Fetches what draws while study and frame are still on their way; if that fails it is met again, and told, when the viewer is opened. */
export function preloadViewer(): void {
  import("./cornerstone_viewer").catch(() => undefined);
}

/** Brought from the service only when the first image is to be drawn, so that the worklist does not carry it. */
export const openViewer: OpenViewer = async (element, listener) => {
  const { CornerstoneViewer } = await import("./cornerstone_viewer");
  return new CornerstoneViewer(element, listener);
};
