import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import type { Frame } from "../api/types";
import { CanvasViewer } from "./canvas_viewer";
import { opposite, range } from "./frame";
import { actionFor } from "./pane_keys";
import { Toolbar, type Tool } from "./toolbar";
import { homeView, panned, zoomed, type View } from "./view";
import type { ImageViewer, OpenViewer } from "./viewer";
import { dragged } from "./window_level";

const openCanvas: OpenViewer = (canvas, onLost) => new CanvasViewer(canvas, onLost);

interface Drag {
  x: number;
  y: number;
  view: View;
  tool: Tool;
}

/** One frame with its tools. label: what the image is, for those who cannot see it. onLost: the picture went away. */
export function FrameView({ frame, label, onLost }: { frame: Frame; label: string; onLost: () => void }) {
  const [view, setView] = useState(() => homeView(frame));
  const [tool, setTool] = useState<Tool>("window");
  const canvas = useRef<HTMLCanvasElement>(null);
  const drag = useRef<Drag | null>(null);
  const help = useId();
  const data = useMemo(() => dataWindow(frame), [frame]);
  useDrawing(canvas, frame, view, onLost);
  useWheelZoom(canvas, setView);

  const onKeyDown = (event: KeyboardEvent) => {
    const action = actionFor(event);
    if (action === undefined) return;
    event.preventDefault();
    setView((now) => action.apply(now, frame, data));
  };
  const onPointerDown = (event: PointerEvent<HTMLCanvasElement>) => {
    event.currentTarget.setPointerCapture(event.pointerId);
    drag.current = { x: event.clientX, y: event.clientY, view, tool: toolOf(event, tool) };
  };
  const onPointerMove = (event: PointerEvent<HTMLCanvasElement>) => {
    const start = drag.current;
    if (start === null) return;
    const box = event.currentTarget.getBoundingClientRect();
    setView(moved(start, event.clientX - start.x, event.clientY - start.y, box));
  };
  const onPointerEnd = () => {
    drag.current = null;
  };

  return (
    <div className="frame-view">
      {/* The canvas takes keys and drags as a custom widget, which no native element or stricter role describes. */}
      <canvas
        ref={canvas}
        className={`film film-${tool}`}
        // eslint-disable-next-line jsx-a11y/no-interactive-element-to-noninteractive-role
        role="application"
        aria-roledescription="radiograph"
        aria-label={label}
        aria-describedby={help}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerEnd}
        onPointerCancel={onPointerEnd}
        onContextMenu={(event) => { event.preventDefault(); }}
      />
      {frame.orientation !== null && <Markers orientation={frame.orientation} />}
      <p id={help} className="unseen">
        Arrow keys change brightness and contrast, Shift and arrows move, plus and minus zoom, 1 to 6 choose a window, I inverts, 0 resets.
      </p>
      <Toolbar
        view={view}
        tool={tool}
        onTool={setTool}
        onView={(change) => { setView((now) => change(now, frame, data)); }}
      />
    </div>
  );
}

/** Which side of the patient lies at the left and right edge, as the image itself says. */
function Markers({ orientation }: { orientation: NonNullable<Frame["orientation"]> }) {
  return (
    <>
      <span className="marker marker-left"><span className="unseen">Patient side at the left edge: </span>{opposite(orientation.right)}</span>
      <span className="marker marker-right"><span className="unseen">Patient side at the right edge: </span>{orientation.right}</span>
    </>
  );
}

function useDrawing(canvas: React.RefObject<HTMLCanvasElement | null>, frame: Frame, view: View, onLost: () => void) {
  const viewer = useRef<ImageViewer | null>(null);
  const latest = useRef(view);

  useEffect(() => {
    const element = canvas.current;
    if (element === null) return undefined;
    const opened = openCanvas(element, onLost);
    opened.load(frame);
    viewer.current = opened;
    const resized = new ResizeObserver(() => {
      fitToBox(element);
      opened.draw(onScreen(latest.current));
    });
    resized.observe(element);
    return () => {
      resized.disconnect();
      opened.dispose();
      viewer.current = null;
    };
  }, [canvas, frame, onLost]);

  useEffect(() => {
    latest.current = view;
    const request = requestAnimationFrame(() => viewer.current?.draw(onScreen(view)));
    return () => { cancelAnimationFrame(request); };
  }, [view]);
}

/** React listens to wheel passively, where the page's scrolling cannot be held back. */
function useWheelZoom(canvas: React.RefObject<HTMLCanvasElement | null>, setView: React.Dispatch<React.SetStateAction<View>>) {
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return undefined;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const box = element.getBoundingClientRect();
      const at = { x: event.clientX - box.left - box.width / 2, y: event.clientY - box.top - box.height / 2 };
      setView((now) => zoomed(now, 2 ** (-event.deltaY / 400), at));
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => { element.removeEventListener("wheel", onWheel); };
  }, [canvas, setView]);
}

/** Middle button or Shift moves, right button zooms, whatever tool is chosen. */
function toolOf(event: PointerEvent, chosen: Tool): Tool {
  if (event.button === 1 || event.shiftKey) return "pan";
  return event.button === 2 ? "zoom" : chosen;
}

function moved({ view, tool }: Drag, dx: number, dy: number, box: { width: number; height: number }): View {
  if (tool === "pan") return panned(view, dx, dy);
  if (tool === "zoom") return zoomed(view, 2 ** ((-4 * dy) / box.height));
  return { ...view, window: dragged(view.window, dx / box.width, dy / box.height) };
}

function fitToBox(canvas: HTMLCanvasElement): void {
  const box = canvas.getBoundingClientRect();
  canvas.width = Math.max(1, Math.round(box.width * devicePixelRatio));
  canvas.height = Math.max(1, Math.round(box.height * devicePixelRatio));
}

/** Views are kept in CSS pixels, drawing is in device pixels. */
function onScreen(view: View): View {
  return { ...view, pan: { x: view.pan.x * devicePixelRatio, y: view.pan.y * devicePixelRatio } };
}

function dataWindow(frame: Frame) {
  const [low, high] = range(frame.values);
  return { center: (low + high + 1) / 2, width: Math.max(2, high - low + 1) };
}
