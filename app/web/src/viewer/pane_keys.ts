import { homeView, panned, zoomed, type View } from "./view";
import { dragged, PRESETS, type Window } from "./window_level";
import type { Frame } from "../api/types";

/** One key while a pane has the focus: what it is called and what it does to the view. */
export interface PaneAction {
  keys: readonly string[];
  name: string;
  apply: (view: View, frame: Frame, data: Window) => View;
}

const WINDOW_STEP = 0.05;
const PAN_STEP = 40;
const ZOOM_STEP = 1.25;

const step = (dx: number, dy: number) => (view: View): View => ({ ...view, window: dragged(view.window, dx, dy) });

/** Every pointer action has its key here; the help text is made from this table. */
export const PANE_ACTIONS: readonly PaneAction[] = [
  ...PRESETS.map(({ key, name, of }) => ({
    keys: [key],
    name: `${name} window`,
    apply: (view: View, frame: Frame, data: Window) => ({ ...view, window: of(frame.window, data) }),
  })),
  { keys: ["ArrowUp"], name: "brighter", apply: step(0, -WINDOW_STEP) },
  { keys: ["ArrowDown"], name: "darker", apply: step(0, WINDOW_STEP) },
  { keys: ["ArrowLeft"], name: "more contrast", apply: step(-WINDOW_STEP, 0) },
  { keys: ["ArrowRight"], name: "less contrast", apply: step(WINDOW_STEP, 0) },
  { keys: ["Shift+ArrowUp"], name: "move up", apply: (view) => panned(view, 0, -PAN_STEP) },
  { keys: ["Shift+ArrowDown"], name: "move down", apply: (view) => panned(view, 0, PAN_STEP) },
  { keys: ["Shift+ArrowLeft"], name: "move left", apply: (view) => panned(view, -PAN_STEP, 0) },
  { keys: ["Shift+ArrowRight"], name: "move right", apply: (view) => panned(view, PAN_STEP, 0) },
  { keys: ["+", "="], name: "zoom in", apply: (view) => zoomed(view, ZOOM_STEP) },
  { keys: ["-"], name: "zoom out", apply: (view) => zoomed(view, 1 / ZOOM_STEP) },
  { keys: ["i"], name: "invert", apply: (view) => ({ ...view, invert: !view.invert }) },
  { keys: ["0"], name: "reset", apply: (_view, frame) => homeView(frame) },
];

/** The action of a key press, or undefined; Ctrl, Alt and Meta are left to the browser. */
export function actionFor(event: Pick<KeyboardEvent, "key" | "shiftKey" | "ctrlKey" | "altKey" | "metaKey">): PaneAction | undefined {
  if (event.ctrlKey || event.altKey || event.metaKey) return undefined;
  const arrow = event.key.startsWith("Arrow");
  const pressed = arrow && event.shiftKey ? `Shift+${event.key}` : event.key;
  return PANE_ACTIONS.find(({ keys }) => keys.includes(arrow ? pressed : pressed.toLowerCase()));
}
