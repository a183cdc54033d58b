import type { Frame, Orientation } from "./frame";
import { inWords, type Measurement } from "./measure";
import { edges, toScreen, type Point, type Size, type View } from "./view";

interface Props {
  frame: Frame;
  view: View;
  box: Size;
  measurements: readonly Measurement[];
  /** The measurement that is being made, with the crosshair as its next point. */
  open: Measurement | null;
  crosshair: Point | null;
}

/** Lines and figures over the image. */
export function Overlay({ frame, view, box, measurements, open, crosshair }: Props) {
  const place = (point: Point) => toScreen(point, frame, box, view);
  return (
    <svg className="overlay" width={box.width} height={box.height} aria-hidden="true">
      {[...measurements, ...(open === null ? [] : [open])].map((measurement, at) => (
        <Drawn key={at} measurement={measurement} frame={frame} box={box} place={place} />
      ))}
      {crosshair !== null && <Crosshair at={crosshair} />}
    </svg>
  );
}

function Drawn({ measurement, frame, box, place }: { measurement: Measurement; frame: Frame; box: Size; place: (point: Point) => Point }) {
  const points = measurement.points.map(place);
  const lines = points.flatMap((point, at) => (at % 2 === 1 ? [[points[at - 1] ?? point, point] as const] : []));
  const last = points.at(-1);
  const words = inWords(measurement, frame);
  return (
    <g className="measurement">
      {lines.map(([from, to], at) => (
        <g key={at}>
          <line className="under" x1={from.x} y1={from.y} x2={to.x} y2={to.y} />
          <line x1={from.x} y1={from.y} x2={to.x} y2={to.y} />
        </g>
      ))}
      {points.map(({ x, y }, at) => <circle key={at} cx={x} cy={y} r={3} />)}
      {last !== undefined && words !== "" && <Figure at={last} box={box} words={words} />}
    </g>
  );
}

/** Words beside a point, on the side where the pane has room. */
function Figure({ at, box, words }: { at: Point; box: Size; words: string }) {
  const right = at.x < box.width * 0.6;
  const y = Math.min(box.height - 8, Math.max(16, at.y - 8));
  return <text x={at.x + (right ? 10 : -10)} y={y} textAnchor={right ? "start" : "end"}>{words}</text>;
}

function Crosshair({ at: { x, y } }: { at: Point }) {
  const arms = [[x - 18, y, x - 4, y], [x + 4, y, x + 18, y], [x, y - 18, x, y - 4], [x, y + 4, x, y + 18]] as const;
  return (
    <g className="crosshair">
      {arms.map(([x1, y1, x2, y2]) => (
        <g key={`${x1 - x} ${y1 - y}`}>
          <line className="under" x1={x1} y1={y1} x2={x2} y2={y2} />
          <line x1={x1} y1={y1} x2={x2} y2={y2} />
        </g>
      ))}
    </g>
  );
}

/** Which side of the patient lies at which edge now, as the image itself says. */
export function Markers({ orientation, view }: { orientation: Orientation | null; view: View }) {
  if (orientation === null) return <span className="marker-none">Sides not stated in the image</span>;
  const sides = edges(orientation, view);
  return (["left", "right", "top", "bottom"] as const).map((edge) => (
    <span key={edge} className={`marker marker-${edge}`}>
      <span className="unseen">{`Patient side at the ${edge} edge: `}</span>
      {sides[edge]}
    </span>
  ));
}

/** How the image lies otherwise than it was taken; a mirrored chest must not pass for a heart on the right. */
export function Turned({ view }: { view: View }) {
  const parts = [view.mirrored ? "Mirrored" : "", view.turns === 0 ? "" : `Turned ${view.turns * 90}°`, view.invert ? "Inverted" : ""];
  const words = parts.filter((part) => part !== "").join(" · ");
  return words === "" ? null : <span className={`lies ${view.mirrored ? "lies-mirrored" : ""}`} role="status">{words}</span>;
}
