import { useRef, type PointerEvent } from "react";
import { isRuler, type Change, type Tool } from "./pane_keys";
import { panned, zoomed, type Point, type Size, type View } from "./view";
import { dragged } from "./window_level";

/** A press that moves less, in CSS pixels, is a click. */
const CLICK = 4;

interface Drag {
  from: Point;
  view: View;
  tool: Tool;
}

interface Act {
  view: View;
  tool: Tool;
  onChange: (change: Change) => void;
  /** The pointer is there, in CSS pixels from the pane's corner. */
  onAt: (at: Point) => void;
  onPut: (at: Point) => void;
}

/** Handlers of one pane: what the chosen tool does with a drag; middle button or Shift moves, right button zooms. */
export function usePointer({ view, tool, onChange, onAt, onPut }: Act) {
  const drag = useRef<Drag | null>(null);
  const onPointerDown = (event: PointerEvent<HTMLElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    const from = placeOf(event);
    const used = toolOf(event, tool);
    drag.current = { from, view, tool: used };
    onAt(from);
    if (isRuler(used)) onPut(from);
  };
  const onPointerMove = (event: PointerEvent<HTMLElement>) => {
    const at = placeOf(event);
    onAt(at);
    const start = drag.current;
    if (start === null || isRuler(start.tool) || start.tool === "magnify") return;
    const box = event.currentTarget.getBoundingClientRect();
    onChange((now) => moved(now, start, at, box));
  };
  const onPointerUp = (event: PointerEvent<HTMLElement>) => {
    const start = drag.current;
    drag.current = null;
    const at = placeOf(event);
    // drawing a line in one stroke: where the stroke ends is its second point
    if (start !== null && isRuler(start.tool) && Math.hypot(at.x - start.from.x, at.y - start.from.y) > CLICK) onPut(at);
  };
  return { onPointerDown, onPointerMove, onPointerUp, onPointerCancel: () => { drag.current = null; } };
}

function placeOf(event: PointerEvent<HTMLElement>): Point {
  const box = event.currentTarget.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}

function toolOf(event: PointerEvent, chosen: Tool): Tool {
  if (event.button === 1 || event.shiftKey) return "pan";
  return event.button === 2 ? "zoom" : chosen;
}

function moved(now: View, { from, view, tool }: Drag, to: Point, box: Size): View {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  if (tool === "pan") return { ...now, pan: panned(view, dx, dy).pan };
  if (tool === "zoom") {
    const { zoom, pan } = zoomed(view, 2 ** ((-4 * dy) / box.height));
    return { ...now, zoom, pan };
  }
  return { ...now, window: dragged(view.window, dx / box.width, dy / box.height) };
}
