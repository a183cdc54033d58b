import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { CriticalFinding, CriticalResult, Report, Study } from "../api/types";
import { mayReport, useServices } from "../app_context";
import { useNow } from "../now";
import { criticalTime, knownInWords } from "../words/critical_time";
import { momentInWords } from "../words/dates";
import { DropDialog, FoundDialog, ToldDialog } from "./critical_dialog";

const TICK = 10_000;

/** Which dialog stands over the report: for a new finding, or for what became of an open one. */
type Asked = { step: "found" } | { step: "told" | "drop"; finding: CriticalFinding };

export interface Critical {
  /** Those that nobody was told of yet, the first due first: the service keeps them, for every reader. */
  open: readonly CriticalFinding[];
  asked: Asked | null;
  onAsk: (asked: Asked | null) => void;
  /** What the key C does: the most pressing open one, or a new one. */
  ask: () => void;
}

/** Critical results of a study's report, as they stand in the record now. */
export function useCritical(study: Study): Critical {
  const [asked, setAsked] = useState<Asked | null>(null);
  const open = study.critical_findings.filter(({ outcome }) => outcome === null);
  const [first] = open;
  return { open, asked, onAsk: setAsked, ask: () => { setAsked(first === undefined ? { step: "found" } : { step: "told", finding: first }); } };
}

/** The open ones with the time they have, and the dialogs. */
export function CriticalPart({ study, critical: { open, asked, onAsk } }: { study: Study; critical: Critical }) {
  const { client, reader } = useServices();
  const now = useNow(client.http.ahead, TICK);
  const { report } = study;
  return (
    <>
      {open.map((finding) => (
        <Open key={finding.id} finding={finding} now={now} onTell={mayReport(reader) ? () => { onAsk({ step: "told", finding }); } : null} />
      ))}
      {report !== null && asked !== null && <Dialogs study={study} reportId={report.id} asked={asked} onAsk={onAsk} />}
    </>
  );
}

interface OpenProps {
  finding: CriticalFinding;
  now: number;
  /** null for readers who may only look. */
  onTell: (() => void) | null;
}

function Open({ finding, now, onTell }: OpenProps) {
  const { overdue } = criticalTime(finding.due_at, now);
  return (
    <div className={`problem critical-waiting ${overdue ? "critical-late" : ""}`} role="alert">
      <p>
        <strong>
          <span aria-hidden="true">{overdue ? "⚠ " : "◷ "}</span>
          {overdue ? "Critical result overdue, told to nobody yet: " : "Critical result, told to nobody yet: "}
        </strong>
        {finding.finding}
      </p>
      <p role="timer" aria-live="off" title={`Due ${momentInWords(finding.due_at)}`}>{knownInWords(finding, now)}</p>
      <p className="quiet">{`Opened by ${finding.opened_by}`}</p>
      {onTell !== null && <button type="button" onClick={onTell}>Record who was told…</button>}
    </div>
  );
}

interface DialogsProps {
  study: Study;
  reportId: string;
  asked: Asked;
  onAsk: (asked: Asked | null) => void;
}

function Dialogs({ study, reportId, asked, onAsk }: DialogsProps) {
  const queries = useQueryClient();
  const queryKey = ["study", study.study_instance_uid];
  const close = () => { onAsk(null); };
  const keep = ({ critical_findings, critical_results }: Report) => {
    queries.setQueryData<Study>(queryKey, (before) => before && { ...before, critical_findings, critical_results });
    void queries.invalidateQueries({ queryKey });
  };
  const onClosed = (after: Report) => {
    keep(after);
    close();
  };
  if (asked.step === "found") {
    const known = new Set(study.critical_findings.map(({ id }) => id));
    const onOpened = (after: Report) => {
      keep(after);
      const finding = after.critical_findings.find(({ id, outcome }) => outcome === null && !known.has(id));
      onAsk(finding === undefined ? null : { step: "told", finding });
    };
    return <FoundDialog reportId={reportId} onClose={close} onOpened={onOpened} />;
  }
  const { finding } = asked;
  if (asked.step === "drop") return <DropDialog reportId={reportId} finding={finding} onBack={() => { onAsk({ step: "told", finding }); }} onDropped={onClosed} />;
  return (
    <ToldDialog
      key={finding.id}
      reportId={reportId}
      finding={finding}
      onClose={close}
      onDrop={() => { onAsk({ step: "drop", finding }); }}
      onAnother={() => { onAsk({ step: "found" }); }}
      onRecorded={onClosed}
    />
  );
}

/** What became of the others. */
export function Recorded({ study }: { study: Study }) {
  const dropped = study.critical_findings.filter(({ outcome }) => outcome === "dropped");
  if (study.critical_results.length + dropped.length === 0) return null;
  return (
    <section className="critical-results" aria-label="Critical results">
      <h3>Critical results</h3>
      <ul>
        {study.critical_results.map((result) => <li key={result.recorded_at}>{toldInWords(result)}</li>)}
        {dropped.map((finding) => <li key={finding.id}>{droppedInWords(finding)}</li>)}
      </ul>
    </section>
  );
}

function toldInWords({ finding, found_at, told_to, told_at, method, read_back, recorded_by }: CriticalResult): string {
  return `${finding}: found ${momentInWords(found_at)}; ${told_to} told ${momentInWords(told_at)}, ${method}, ${read_back ? "read back" : "not read back"}; recorded by ${recorded_by}.`;
}

function droppedInWords({ finding, found_at, closed_by, closed_at, drop_reason }: CriticalFinding): string {
  return `${finding}: found ${momentInWords(found_at)}; not critical after all, ${closed_by ?? ""}, ${momentInWords(closed_at)}: ${drop_reason ?? ""}`;
}
