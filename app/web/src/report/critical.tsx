import { useEffect, useState } from "react";
import type { CriticalResult, Report } from "../api/types";
import { useServices } from "../app_context";
import { momentInWords } from "../words/dates";
import { CriticalDialog } from "./critical_dialog";
import { begunAt, isBegun, openFor, type Facts } from "./critical_form";

const TICK = 10_000;

export interface Critical {
  recorded: readonly CriticalResult[];
  /** One that nobody was told of yet; null where there is none. */
  open: Facts | null;
  isAsked: boolean;
  ask: () => void;
  onChange: (facts: Facts) => void;
  onClose: () => void;
  onDropped: () => void;
  onRecorded: (report: Report) => void;
}

/** Critical results of a report. An open one is kept at the reader's desk, so that leaving the study does not lose it. */
export function useCritical(report: Report): Critical {
  const { desk } = useServices();
  const [recorded, setRecorded] = useState(report.critical_results);
  const [facts, setFacts] = useState<Facts | null>(() => desk.critical.get(report.id) ?? null);
  const [isAsked, setAsked] = useState(false);
  const keep = (next: Facts | null) => {
    setFacts(next);
    if (next === null) desk.critical.delete(report.id);
    else desk.critical.set(report.id, next);
  };
  const close = (next: Facts | null) => {
    keep(next);
    setAsked(false);
  };
  const isOpen = facts !== null && isBegun(facts);
  useEffect(() => {
    if (!isOpen) return undefined;
    const onUnload = (event: BeforeUnloadEvent) => { event.preventDefault(); };
    window.addEventListener("beforeunload", onUnload);
    return () => { window.removeEventListener("beforeunload", onUnload); };
  }, [isOpen]);
  return {
    recorded,
    open: isOpen ? facts : null,
    isAsked,
    ask: () => {
      if (facts === null) keep(begunAt(new Date()));
      setAsked(true);
    },
    onChange: keep,
    onClose: () => { close(isOpen ? facts : null); },
    onDropped: () => { close(null); },
    onRecorded: (after) => {
      setRecorded(after.critical_results);
      close(null);
    },
  };
}

/** The open one with how long it has been open, those recorded, and the dialog. */
export function CriticalPart({ critical, reportId }: { critical: Critical; reportId: string }) {
  const { desk } = useServices();
  const facts = critical.open ?? desk.critical.get(reportId) ?? null;
  return (
    <>
      {critical.open !== null && (
        <div className="problem critical-open" role="alert">
          <p>
            <strong>Critical result, told to nobody yet: </strong>
            {critical.open.finding}
          </p>
          <OpenFor foundAt={critical.open.foundAt} />
          <button type="button" onClick={critical.ask}>Record who was told…</button>
        </div>
      )}
      {critical.isAsked && facts !== null && (
        <CriticalDialog reportId={reportId} facts={facts} onChange={critical.onChange} onClose={critical.onClose} onDropped={critical.onDropped} onRecorded={critical.onRecorded} />
      )}
    </>
  );
}

function OpenFor({ foundAt }: { foundAt: string }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => { setNow(Date.now()); }, TICK);
    return () => { window.clearInterval(timer); };
  }, []);
  return <p role="timer" aria-live="off">{`Known for ${openFor(foundAt, now)}`}</p>;
}

export function Recorded({ results }: { results: readonly CriticalResult[] }) {
  if (results.length === 0) return null;
  return (
    <section className="critical-results" aria-label="Critical results">
      <h3>Critical results</h3>
      <ul>{results.map((result) => <li key={result.recorded_at}>{toldInWords(result)}</li>)}</ul>
    </section>
  );
}

function toldInWords({ finding, found_at, told_to, told_at, method, read_back, recorded_by }: CriticalResult): string {
  return `${finding}: found ${momentInWords(found_at)}; ${told_to} told ${momentInWords(told_at)}, ${method}, ${read_back ? "read back" : "not read back"}; recorded by ${recorded_by}.`;
}
