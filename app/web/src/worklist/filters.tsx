import { useCallback, useEffect, useState, type RefObject } from "react";
import type { StudyState, Urgency } from "../api/types";
import { URGENCY_WORDS } from "../words/said";
import { isNarrowed, WHOLE_LIST, type Held, type ListFilter, type Tallies } from "./filter";
import { URGENCIES } from "./order";

/** Typing is over when no key came for this long, in ms. */
const PAUSE = 120;
/** What waits for a reader first. */
const CHIPS: readonly [StudyState, string][] = [
  ["ready", "Draft ready"],
  ["draft_unavailable", "No draft"],
  ["not_eligible", "Not eligible"],
  ["failed", "Failed"],
  ["in_review", "In review"],
  ["drafting", "Drafting"],
  ["gathering_priors", "Fetching priors"],
  ["receiving", "Receiving"],
  ["signed", "Signed"],
  ["delivered", "Delivered"],
];
const HELD: Readonly<Record<Held, string>> = { "": "Anybody's", unlocked: "Not open anywhere", locked: "Open somewhere", mine: "Mine" };
const WITHIN: readonly [number, string][] = [[0, "Any time"], [60, "Last hour"], [240, "Last 4 hours"], [1440, "Last 24 hours"], [10_080, "Last 7 days"]];

interface Props {
  filter: ListFilter;
  onChange: (filter: ListFilter) => void;
  counts: Readonly<Partial<Record<StudyState, number>>>;
  tallies: Tallies;
  search: RefObject<HTMLInputElement | null>;
  /** Where the key F goes to. */
  first: RefObject<HTMLButtonElement | null>;
}

export function Filters({ filter, onChange, counts, tallies, search, first }: Props) {
  const flip = <T,>(chosen: readonly T[], one: T) => (chosen.includes(one) ? chosen.filter((other) => other !== one) : [...chosen, one]);
  return (
    <search className="filters">
      <div className="filter-line">
        <Search filter={filter} onChange={onChange} field={search} />
        <Urgencies chosen={filter.urgencies} tallies={tallies} onFlip={(urgency) => { onChange({ ...filter, urgencies: flip(filter.urgencies, urgency) }); }} />
        <div role="group" aria-label="Marks" className="chips">
          <Chip words="Critical" count={tallies.critical} pressed={filter.critical} onPress={() => { onChange({ ...filter, critical: !filter.critical }); }} />
          <Chip words="Not told" count={tallies.untold} pressed={filter.untold} onPress={() => { onChange({ ...filter, untold: !filter.untold }); }} />
          <Chip words="Flagged" count={tallies.flagged} pressed={filter.flagged} onPress={() => { onChange({ ...filter, flagged: !filter.flagged }); }} />
        </div>
        <select aria-label="Whose" value={filter.held} onChange={(event) => { onChange({ ...filter, held: event.target.value as Held }); }}>
          {Object.entries(HELD).map(([held, words]) => <option key={held} value={held}>{words}</option>)}
        </select>
        <select aria-label="Received" value={filter.within} onChange={(event) => { onChange({ ...filter, within: Number(event.target.value) }); }}>
          {WITHIN.map(([minutes, words]) => <option key={minutes} value={minutes}>{words}</option>)}
        </select>
        <button type="button" disabled={!isNarrowed(filter)} onClick={() => { onChange(WHOLE_LIST); }}>Clear filters</button>
      </div>
      <div role="group" aria-label="State" className="filter-line chips">
        <Chip words="All open" pressed={filter.states.length === 0} onPress={() => { onChange({ ...filter, states: [] }); }} button={first} />
        {CHIPS.map(([state, words]) => (
          <Chip key={state} words={words} count={counts[state]} pressed={filter.states.includes(state)} onPress={() => { onChange({ ...filter, states: flip(filter.states, state) }); }} />
        ))}
      </div>
    </search>
  );
}

function Search({ filter, onChange, field }: { filter: ListFilter; onChange: (filter: ListFilter) => void; field: RefObject<HTMLInputElement | null> }) {
  const [typed, setTyped] = useState(filter.q);
  const [seen, setSeen] = useState(filter.q);
  const [sent, setSent] = useState(filter.q);
  // A word that was not typed here (a saved list's, or none after "Clear filters") takes the place of what was.
  if (seen !== filter.q) {
    setSeen(filter.q);
    if (filter.q !== sent) setTyped(filter.q);
  }
  const send = useCallback(() => {
    if (typed === filter.q) return;
    setSent(typed);
    onChange({ ...filter, q: typed });
  }, [typed, filter, onChange]);
  useEffect(() => {
    const timer = window.setTimeout(send, PAUSE);
    return () => { window.clearTimeout(timer); };
  }, [send]);
  return (
    <input
      ref={field}
      type="search"
      aria-label="Search"
      placeholder="Name, ID or accession"
      value={typed}
      autoComplete="off"
      spellCheck={false}
      onChange={(event) => { setTyped(event.target.value); }}
      onBlur={send} // whoever opens a study within the pause finds the word again on coming back
    />
  );
}

function Urgencies({ chosen, tallies, onFlip }: { chosen: readonly Urgency[]; tallies: Tallies; onFlip: (urgency: Urgency) => void }) {
  return (
    <div role="group" aria-label="Priority" className="chips">
      {URGENCIES.map((urgency) => (
        <Chip key={urgency} words={URGENCY_WORDS[urgency]} count={tallies.urgencies[urgency]} pressed={chosen.includes(urgency)} onPress={() => { onFlip(urgency); }} />
      ))}
    </div>
  );
}

interface ChipProps {
  words: string;
  count?: number | undefined;
  pressed: boolean;
  onPress: () => void;
  button?: RefObject<HTMLButtonElement | null>;
}

function Chip({ words, count, pressed, onPress, button }: ChipProps) {
  return (
    <button ref={button} type="button" className={count === 0 ? "chip none" : "chip"} aria-pressed={pressed} onClick={onPress}>
      {words}
      {count !== undefined && <span className="count">{` ${count}`}</span>}
    </button>
  );
}
