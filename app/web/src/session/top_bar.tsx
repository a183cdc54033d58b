import { useState } from "react";
import type { Liveness } from "../api/events";
import type { Identity } from "../api/types";
import { KeyHelp } from "./key_help";
import { THEMES, type Theme } from "./theme";

interface Props {
  reader: Identity;
  live: Liveness;
  theme: readonly [Theme, (theme: Theme) => void];
  onWorklist: (() => void) | null;
  onLogout: () => void;
}

const LIVE: Readonly<Record<Liveness, string>> = { live: "Live", polling: "Not live: asking every 10 s" };

export function TopBar({ reader, live, theme, onWorklist, onLogout }: Props) {
  const [help, setHelp] = useState(false);
  return (
    <header className="top-bar">
      <span className="product">UniRG review</span>
      {onWorklist !== null && <button type="button" onClick={onWorklist}>← Worklist</button>}
      <span className="spring" />
      <span className={`liveness liveness-${live}`} role="status">{LIVE[live]}</span>
      <span className="reader">{`${reader.name} (${reader.roles.join(", ")})`}</span>
      <select aria-label="Theme" value={theme[0]} onChange={(event) => { theme[1](event.target.value as Theme); }}>
        {Object.entries(THEMES).map(([name, words]) => <option key={name} value={name}>{words}</option>)}
      </select>
      <button type="button" onClick={() => { setHelp(true); }}>Keys</button>
      {help && <KeyHelp onClose={() => { setHelp(false); }} />}
      <button type="button" onClick={onLogout}>Log out</button>
    </header>
  );
}
