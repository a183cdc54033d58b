import { useEffect, useRef, type KeyboardEvent } from "react";
import type { Frame } from "./frame";
import { LABEL, labelPlaces, onScreen, type Part, type Rectangle } from "./region_box";
import type { Point, Size, View } from "./view";

/** A part of the image that belongs to a numbered sentence. label: what it is, for those who cannot see it. */
export interface Region extends Part {
  number: number;
  label: string;
}

/** What is drawn over one image, and what the reader does with it; regions are named by their numbers. */
export interface RegionLayer {
  regions: readonly Region[];
  /** What the boxes are, or why there are none. */
  words: string;
  /** The region that stands out. */
  pointed: number | null;
  /** The region that is to get the focus; a new object for each wish. */
  wanted: { number: number } | null;
  onReached: () => void;
  /** The region has the focus, or has it no more; the same for the pointer. */
  onFocus: (region: number, is: boolean) => void;
  onHover: (region: number, is: boolean) => void;
  onChoose: (region: number) => void;
}

interface Props {
  frame: Frame;
  view: View;
  box: Size;
  layer: RegionLayer;
}

/** The boxes over the image. Only their numbers take the pointer: what is under a box can be windowed and measured as before. */
export function Regions({ frame, view, box, layer }: Props) {
  const placed = layer.regions.map((region) => ({ ...region, rectangle: onScreen(region, frame, box, view), isPointed: region.number === layer.pointed }));
  const labels = labelPlaces(placed.map(({ rectangle }) => rectangle), box);
  // the one that stands out comes last, over those that lie in the same place
  const drawn = [...placed].sort((one, other) => Number(one.isPointed) - Number(other.isPointed));
  return (
    <svg className="overlay regions" width={box.width} height={box.height} role="group" aria-label="Evidence regions">
      {drawn.map(({ number, rectangle, isPointed }) => <Edge key={number} number={number} rectangle={rectangle} isPointed={isPointed} />)}
      {layer.regions.map((region, at) => <Label key={region.number} region={region} at={labels[at]} layer={layer} />)}
    </svg>
  );
}

/** Dark under light, so that one of them is seen on any film. */
function Edge({ number, rectangle, isPointed }: { number: number; rectangle: Rectangle; isPointed: boolean }) {
  return (
    <g className={isPointed ? "region region-pointed" : "region"}>
      <rect className="under" {...rectangle} />
      <rect className="edge" data-box={number} {...rectangle} />
    </g>
  );
}

function Label({ region: { number, label }, at, layer }: { region: Region; at: Point | undefined; layer: RegionLayer }) {
  const button = useRef<SVGGElement>(null);
  const { wanted, onReached } = layer;
  useEffect(() => {
    if (wanted?.number !== number) return;
    button.current?.focus();
    onReached();
  }, [wanted, number, onReached]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    layer.onChoose(number);
  };
  return (
    <g
      ref={button}
      className={number === layer.pointed ? "region-label region-pointed" : "region-label"}
      transform={`translate(${at?.x ?? 0} ${at?.y ?? 0})`}
      role="button"
      tabIndex={0}
      aria-label={label}
      onKeyDown={onKeyDown}
      onClick={() => { layer.onChoose(number); }}
      // a press on the number is no drag of the image
      onPointerDown={(event) => { event.stopPropagation(); }}
      onPointerEnter={() => { layer.onHover(number, true); }}
      onPointerLeave={() => { layer.onHover(number, false); }}
      onFocus={() => { layer.onFocus(number, true); }}
      onBlur={() => { layer.onFocus(number, false); }}
    >
      <rect x={1} y={1} width={LABEL.width - 2} height={LABEL.height - 2} rx={3} />
      <text x={LABEL.width / 2} y={LABEL.height / 2} textAnchor="middle" dominantBaseline="central">{number}</text>
    </g>
  );
}
