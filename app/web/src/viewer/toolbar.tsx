import type { Frame } from "../api/types";
import { PANE_ACTIONS, type PaneAction } from "./pane_keys";
import type { View } from "./view";
import { PRESETS } from "./window_level";

export type Tool = "window" | "pan" | "zoom";

const TOOLS: readonly { tool: Tool; name: string; title: string }[] = [
  { tool: "window", name: "W/L", title: "Drag changes window and level" },
  { tool: "pan", name: "Move", title: "Drag moves the image" },
  { tool: "zoom", name: "Zoom", title: "Drag up zooms in" },
];

interface Props {
  view: View;
  tool: Tool;
  onTool: (tool: Tool) => void;
  onView: (change: PaneAction["apply"]) => void;
}

/** The pane's buttons: what the pointer does, and every step that a drag can also make. */
export function Toolbar({ view, tool, onTool, onView }: Props) {
  return (
    <div className="toolbar" role="toolbar" aria-label="Image tools">
      {TOOLS.map((each) => (
        <button key={each.tool} type="button" title={each.title} aria-pressed={tool === each.tool} onClick={() => { onTool(each.tool); }}>
          {each.name}
        </button>
      ))}
      <label className="preset">
        <span className="unseen">Window preset</span>
        <select value="" onChange={(event) => { choose(event.target.value, onView); }}>
          <option value="" disabled>Window…</option>
          {PRESETS.map(({ key, name }) => <option key={key} value={key}>{`${key}  ${name}`}</option>)}
        </select>
      </label>
      <button type="button" aria-pressed={view.invert} title="Invert (I)" onClick={() => { choose("i", onView); }}>Invert</button>
      <button type="button" aria-label="Zoom out" title="Zoom out (-)" onClick={() => { choose("-", onView); }}>−</button>
      <button type="button" aria-label="Zoom in" title="Zoom in (+)" onClick={() => { choose("+", onView); }}>+</button>
      <button type="button" title="Reset (0)" onClick={() => { choose("0", onView); }}>Reset</button>
      <output className="readout" aria-label="Window centre and width, zoom">
        {`C ${Math.round(view.window.center)}  W ${Math.round(view.window.width)}  ${Math.round(view.zoom * 100)} %`}
      </output>
    </div>
  );
}

function choose(key: string, onView: (change: (view: View, frame: Frame, data: View["window"]) => View) => void): void {
  const action = PANE_ACTIONS.find(({ keys }) => keys.includes(key));
  if (action !== undefined) onView(action.apply);
}
