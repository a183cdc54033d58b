import { useRef, useState, type KeyboardEvent } from "react";
import { useKeyOf, useTitle } from "../keys/keys_context";
import type { Linked } from "./link";
import { PANE_ACTIONS, type Does, type Tool } from "./pane_keys";
import type { View } from "./view";
import { PRESETS } from "./window_level";

interface Props {
  /** Which image the buttons act on. */
  of: string;
  view: View | null;
  tool: Tool;
  linked: Linked;
  /** There is another image to link with. */
  canLink: boolean;
  /** Whether evidence regions are drawn; null where there are none to be offered. */
  regions: boolean | null;
  onDo: (does: Does) => void;
}

interface Button {
  key: string;
  name: string;
  label?: string;
  pressed?: boolean;
  off?: boolean;
}

/** Every action of the images as a button, one step of Tab, arrows between them (ARIA toolbar). */
export function Toolbar({ of, view, tool, linked, canLink, regions, onDo }: Props) {
  const bar = useRef<HTMLDivElement>(null);
  const [stop, setStop] = useState("w");
  const [keyOf, titleOf] = [useKeyOf("image"), useTitle("image")];
  const chosen = (key: string): boolean => {
    const does = doesOf(key);
    return does?.kind === "tool" && does.tool === tool;
  };
  const groups: Button[][] = [
    ["w", "m", "z", "g", "t", "y"].map((key) => ({ key, name: TOOLS[key] ?? key, pressed: chosen(key) })),
    [{ key: "i", name: "Invert", pressed: view?.invert ?? false }, { key: "r", name: "↻", label: "Rotate to the right" }, { key: "l", name: "↺", label: "Rotate to the left" }, { key: "h", name: "⇋", label: "Flip across" }, { key: "v", name: "⥮", label: "Flip top to bottom" }],
    [{ key: "-", name: "−", label: "Zoom out" }, { key: "+", name: "+", label: "Zoom in" }, { key: "=", name: "Fit" }, { key: "o", name: "1:1", label: "1:1, one image pixel on one screen pixel" }, { key: "0", name: "Reset" }],
    [{ key: "s", name: "Link zoom", pressed: linked.place, off: !canLink }, { key: "q", name: "Link window", pressed: linked.window, off: !canLink }],
    ...(regions === null ? [] : [[{ key: "b", name: "Evidence regions", pressed: regions }]]),
  ];
  const press = (key: string) => {
    const does = doesOf(key);
    setStop(key);
    if (does !== undefined) onDo(does);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const along = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (along === 0 || !(event.target instanceof HTMLButtonElement)) return;
    const buttons = [...(bar.current?.querySelectorAll<HTMLButtonElement>("button:not(:disabled)") ?? [])];
    const next = buttons[(buttons.indexOf(event.target) + along + buttons.length) % buttons.length];
    next?.focus();
    setStop(next?.dataset["press"] ?? stop);
    event.preventDefault();
  };

  return (
    <div ref={bar} className="toolbar" role="toolbar" aria-label={`Image tools, for the ${of} image`} tabIndex={-1} onKeyDown={onKeyDown}>
      {groups.map((group) => (
        <div key={group[0]?.key} className="group">
          {group.map(({ key, name, label, pressed, off }) => (
            <button
              key={key}
              type="button"
              data-press={key}
              tabIndex={key === stop ? 0 : -1}
              title={titleOf(label ?? name, key)}
              aria-label={label}
              aria-pressed={pressed}
              aria-keyshortcuts={keyOf(key) || undefined}
              disabled={off === true || view === null}
              onClick={() => { press(key); }}
            >
              {name}
            </button>
          ))}
        </div>
      ))}
      <Presets off={view === null} onChoose={press} />
    </div>
  );
}

const TOOLS: Readonly<Record<string, string>> = { w: "Window", m: "Move", z: "Zoom", g: "Magnify", t: "Length", y: "Angle" };

function Presets({ off, onChoose }: { off: boolean; onChoose: (key: string) => void }) {
  const titleOf = useTitle("image");
  return (
    <label className="preset">
      <span className="unseen">Window preset</span>
      <select value="" disabled={off} onChange={(event) => { onChoose(event.target.value); }}>
        <option value="" disabled>Presets…</option>
        {PRESETS.map(({ key, name }) => <option key={key} value={key}>{titleOf(name, key)}</option>)}
      </select>
    </label>
  );
}

function doesOf(key: string): Does | undefined {
  return PANE_ACTIONS.find(({ keys }) => keys.includes(key))?.does;
}
