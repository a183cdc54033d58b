import { useCallback, useEffect, useId, useRef, useState, type KeyboardEvent } from "react";
import { useMeaning } from "../keys/keys_context";
import type { Frame } from "./frame";
import { Magnifier } from "./magnifier";
import { inWords, type Measurement } from "./measure";
import { useMeasuring, type Measuring } from "./measuring";
import { Markers, Overlay, Turned } from "./overlay";
import { actionFor, arrow, isRuler, step, type Change, type Does, type Tool } from "./pane_keys";
import { usePointer } from "./pointer";
import { Regions, type RegionLayer } from "./regions";
import { useBox, useSurface, type Watch } from "./surface";
import { toImage, zoomed, type Point, type Size, type View } from "./view";

/** CSS pixels that an arrow key moves the crosshair. */
const CROSSHAIR_STEP = 10;

interface Props {
  frame: Frame;
  view: View;
  box: Size | null;
  tool: Tool;
  /** Crosshair and glass are where the reader works. */
  isActive: boolean;
  /** What the image is, for those who cannot see it. */
  label: string;
  /** Boxes over the image; null where none are wanted. */
  regions: RegionLayer | null;
  watch: Watch;
  onBox: (box: Size) => void;
  onChange: (change: Change) => void;
  onDo: (does: Does) => void;
  onActive: () => void;
}

/** One image with its tools: pointer and keys, measurements, glass, markers. */
export function FrameView({ frame, view, box, tool, isActive, label, regions, watch, onBox, onChange, onDo, onActive }: Props) {
  const stage = useRef<HTMLDivElement>(null);
  const surface = useRef<HTMLDivElement>(null);
  const help = useId();
  const [at, setAt] = useState<Point | null>(null);
  const measuring = useMeasuring();
  const meaning = useMeaning("image");
  const crosshair = at ?? middle(box);
  useBox(stage, surface, onBox);
  useSurface(surface, frame, view, box, watch);
  useWheelZoom(stage, onChange);
  const put = useCallback((point: Point) => {
    if (box !== null && isRuler(tool)) measuring.put(toImage(point, frame, box, view), tool);
  }, [box, frame, measuring, tool, view]);
  const pointer = usePointer({ view, tool, onChange, onAt: setAt, onPut: put });

  const onKeyDown = (event: KeyboardEvent) => {
    const does = actionFor(meaning(event))?.does;
    if (does === undefined) return;
    event.preventDefault();
    // a box that goes would take the focus with it
    if (does.kind === "regions") stage.current?.focus();
    if (does.kind === "step") {
      if (hasCrosshair(tool)) setAt(moved(crosshair, arrow(event.key), event.shiftKey ? 1 : CROSSHAIR_STEP, box));
      else onChange(step(arrow(event.key), tool, event.shiftKey));
    } else if (does.kind === "put") put(crosshair);
    else if (does.kind === "remove") measuring.remove();
    else if (does.kind === "leave" && measuring.points.length > 0) measuring.clear();
    else onDo(does);
  };

  return (
    // The stage takes keys and drags as a custom widget, which no native element or stricter role describes.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <div
      ref={stage}
      className={`stage stage-${tool}`}
      role="application"
      aria-roledescription="radiograph"
      aria-label={label}
      aria-describedby={help}
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      onKeyDown={onKeyDown}
      onFocus={onActive}
      {...pointer}
      onContextMenu={(event) => { event.preventDefault(); }}
    >
      <div ref={surface} className="surface" />
      {box !== null && (
        <>
          {tool === "magnify" && isActive && <Magnifier frame={frame} view={view} box={box} at={crosshair} />}
          <Overlay frame={frame} view={view} box={box} measurements={measuring.done} open={opened(measuring, tool, toImage(crosshair, frame, box, view))} crosshair={isRuler(tool) && isActive ? crosshair : null} />
          {regions !== null && <Regions frame={frame} view={view} box={box} layer={regions} />}
        </>
      )}
      <Markers orientation={frame.orientation} view={view} />
      <Turned view={view} />
      <p className="attribution" role="status">{regions !== null && <span>{regions.words}</span>}</p>
      <output className="readout" aria-label="Window centre and width, zoom">
        {`C ${Math.round(view.window.center)}  W ${Math.round(view.window.width)}  ${Math.round(view.zoom * 100)} %`}
      </output>
      <Measured measuring={measuring} frame={frame} />
      <p id={help} className="unseen">
        Arrow keys change brightness and contrast, or do what the chosen tool does. “Keys” at the top of the page lists all others, for zoom, windows and tools.
      </p>
    </div>
  );
}

/** The figures as text, for those who cannot see the lines. */
function Measured({ measuring, frame }: { measuring: Measuring; frame: Frame }) {
  return (
    <ul className="unseen measured" aria-label="Measurements" aria-live="polite">
      {measuring.done.map((measurement, at) => <li key={at}>{`${measurement.ruler}: ${inWords(measurement, frame)}`}</li>)}
    </ul>
  );
}

/** React listens to wheel passively, where the page's scrolling cannot be held back. */
function useWheelZoom(stage: React.RefObject<HTMLElement | null>, onChange: (change: Change) => void) {
  useEffect(() => {
    const element = stage.current;
    if (element === null) return undefined;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const box = element.getBoundingClientRect();
      const at = { x: event.clientX - box.left - box.width / 2, y: event.clientY - box.top - box.height / 2 };
      onChange((now) => zoomed(now, 2 ** (-event.deltaY / 400), at));
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => { element.removeEventListener("wheel", onWheel); };
  }, [stage, onChange]);
}

function opened({ points }: Measuring, tool: Tool, next: Point): Measurement | null {
  return isRuler(tool) && points.length > 0 ? { ruler: tool, points: [...points, next] } : null;
}

function hasCrosshair(tool: Tool): boolean {
  return tool === "magnify" || isRuler(tool);
}

function middle(box: Size | null): Point {
  return { x: Math.floor((box?.width ?? 0) / 2), y: Math.floor((box?.height ?? 0) / 2) };
}

function moved(from: Point, { x, y }: Point, by: number, box: Size | null): Point {
  const within = (value: number, most: number) => Math.min(most, Math.max(0, value));
  return { x: within(from.x + x * by, box?.width ?? 0), y: within(from.y + y * by, box?.height ?? 0) };
}
