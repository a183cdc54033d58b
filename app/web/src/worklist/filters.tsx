import { useEffect, useState } from "react";
import type { WorklistFilter } from "../api/client";
import { STATES } from "../words/said";

/** Typing is over when no key came for this long, in ms. */
const PAUSE = 250;
const PRIORITIES = ["STAT", "URGENT", "ROUTINE"];

export function Filters({ filter, onChange }: { filter: WorklistFilter; onChange: (filter: WorklistFilter) => void }) {
  const [typed, setTyped] = useState(filter.q);

  useEffect(() => {
    if (typed === filter.q) return undefined;
    const timer = window.setTimeout(() => { onChange({ ...filter, q: typed }); }, PAUSE);
    return () => { window.clearTimeout(timer); };
  }, [typed, filter, onChange]);

  return (
    <search className="filters">
      <label>
        Search
        <input type="search" placeholder="Name, patient ID or accession" value={typed} autoComplete="off" onChange={(event) => { setTyped(event.target.value); }} />
      </label>
      <label>
        State
        <select value={filter.state} onChange={(event) => { onChange({ ...filter, state: event.target.value }); }}>
          <option value="">All states</option>
          {Object.entries(STATES).map(([state, words]) => <option key={state} value={state}>{words}</option>)}
        </select>
      </label>
      <label>
        Priority
        <select value={filter.priority} onChange={(event) => { onChange({ ...filter, priority: event.target.value }); }}>
          <option value="">All priorities</option>
          {PRIORITIES.map((priority) => <option key={priority} value={priority}>{priority}</option>)}
        </select>
      </label>
    </search>
  );
}
