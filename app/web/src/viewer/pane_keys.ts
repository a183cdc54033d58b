import type { Frame } from "./frame";
import type { Ruler } from "./measure";
import { fitted, flippedAcross, flippedDown, homeView, oneToOne, panned, rotated, zoomed, type Point, type Size, type View } from "./view";
import { dragged, PRESETS, type Window } from "./window_level";

export type Tool = "window" | "pan" | "zoom" | "magnify" | Ruler;

/** What a change of the view may depend on. data: the window over all values; density: screen pixels per CSS pixel. */
export interface Scene {
  frame: Frame;
  data: Window;
  box: Size;
  density: number;
}

export type Change = (view: View, scene: Scene) => View;

export type Does =
  | { kind: "view"; change: Change }
  | { kind: "tool"; tool: Tool }
  | { kind: "link"; link: "place" | "window" }
  | { kind: "step" }
  | { kind: "put" | "remove" | "leave" | "pane" | "regions" };

/** One key while a pane has the focus: what it is called and what it does. id: where a reader may give it another key. */
export interface PaneAction {
  id?: string;
  keys: readonly string[];
  name: string;
  does: Does;
}

const WINDOW_STEP = 0.05;
const PAN_STEP = 40;
const ZOOM_STEP = 1.25;
const ARROWS: Readonly<Record<string, Point>> = {
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
};

const view = (change: Change): Does => ({ kind: "view", change });
const tool = (chosen: Tool): Does => ({ kind: "tool", tool: chosen });

/** Every pointer action has its key here; the help text is made from this table. OHIF's keys where it has one. */
export const PANE_ACTIONS: readonly PaneAction[] = [
  ...PRESETS.map(({ id, key, name, of }) => ({
    id,
    keys: [key],
    name: `${name} window`,
    does: view((now, { frame, data }) => ({ ...now, window: of(frame.window, data) })),
  })),
  { id: "invert", keys: ["i"], name: "invert", does: view((now) => ({ ...now, invert: !now.invert })) },
  { id: "rotate_right", keys: ["r"], name: "rotate to the right", does: view((now) => rotated(now, 1)) },
  { id: "rotate_left", keys: ["l"], name: "rotate to the left", does: view((now) => rotated(now, -1)) },
  { id: "flip_across", keys: ["h"], name: "flip across", does: view(flippedAcross) },
  { id: "flip_down", keys: ["v"], name: "flip top to bottom", does: view(flippedDown) },
  { id: "zoom_in", keys: ["+"], name: "zoom in", does: view((now) => zoomed(now, ZOOM_STEP)) },
  { id: "zoom_out", keys: ["-"], name: "zoom out", does: view((now) => zoomed(now, 1 / ZOOM_STEP)) },
  { id: "fit", keys: ["="], name: "fit into the pane", does: view(fitted) },
  { id: "one_to_one", keys: ["o"], name: "one image pixel on one screen pixel", does: view((now, { frame, box, density }) => oneToOne(now, frame, box, density)) },
  { id: "reset", keys: ["0"], name: "reset", does: view((_now, { frame }) => homeView(frame)) },
  { id: "window", keys: ["w"], name: "window tool: arrows or drag change brightness and contrast", does: tool("window") },
  { id: "move", keys: ["m"], name: "move tool", does: tool("pan") },
  { id: "zoom", keys: ["z"], name: "zoom tool", does: tool("zoom") },
  { id: "glass", keys: ["g"], name: "magnifying glass", does: tool("magnify") },
  { id: "length", keys: ["t"], name: "measure a length", does: tool("length") },
  { id: "angle", keys: ["y"], name: "measure an angle between two lines (Cobb)", does: tool("angle") },
  { keys: Object.keys(ARROWS), name: "what a drag does with the chosen tool; with Shift move the image, or the crosshair by one pixel", does: { kind: "step" } },
  { keys: ["Enter"], name: "put a point of the measurement", does: { kind: "put" } },
  { keys: ["Delete", "Backspace"], name: "remove the last point or measurement", does: { kind: "remove" } },
  { keys: ["Escape"], name: "back to the window tool", does: { kind: "leave" } },
  { id: "link_place", keys: ["s"], name: "link zoom and movement of both images, or part them", does: { kind: "link", link: "place" } },
  { id: "link_window", keys: ["q"], name: "link windows of both images, or part them", does: { kind: "link", link: "window" } },
  { keys: ["b"], name: "", does: { kind: "regions" } }, // named in the catalogue: it works everywhere in the study
  { keys: ["PageDown", "PageUp"], name: "go to the other image", does: { kind: "pane" } },
];

/** The action of the page's own key (see keys/key_map.ts for the reader's). */
export function actionFor(key: string | undefined): PaneAction | undefined {
  return key === undefined ? undefined : PANE_ACTIONS.find(({ keys }) => keys.includes(key));
}

/** The direction of an arrow key, y down. */
export function arrow(key: string): Point {
  return ARROWS[key] ?? { x: 0, y: 0 };
}

/** What an arrow key changes in the view, where the tool has no crosshair. */
export function step({ x, y }: Point, chosen: Tool, held: boolean): Change {
  if (held || chosen === "pan") return (now) => panned(now, x * PAN_STEP, y * PAN_STEP);
  if (chosen === "zoom") return (now) => zoomed(now, ZOOM_STEP ** (x - y));
  return (now) => ({ ...now, window: dragged(now.window, x * WINDOW_STEP, y * WINDOW_STEP) });
}

export function isRuler(chosen: Tool): chosen is Ruler {
  return chosen === "length" || chosen === "angle";
}
