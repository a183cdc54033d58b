import { useRef, useState } from "react";
import type { Draft, DraftSentence, Report, Section, Study } from "../api/types";
import { usePrimaryKey } from "../primary_key";
import { MODES, NO_DRAFT, STATUSES } from "../words/said";
import { CriticalPart, Recorded, useCritical } from "./critical";
import { DraftBanner, DraftFacts, Flags, SentenceFacts } from "./draft_parts";
import { Redraft } from "./redraft";
import { ReportBody } from "./report_body";
import { TextManager } from "./text_manager";
import { LookedButton, Withheld } from "./withheld";
import { SECTIONS } from "./work";

interface Props {
  study: Study;
  draft: Draft | null;
  report: Report | null;
  /** Draft or report are still being read: what can be started is not known yet. */
  loading: boolean;
  fault: string | null;
  /** The draft, or a report that may have its words, is kept from this reader for now. */
  withheld: boolean;
  /** Starts or goes on with the report; null for readers who may only look. */
  onStart: ((fromDraft: string | null) => void) | null;
  /** Gives up the report that is withheld, for a second reader to begin his own; null where there is none. */
  onWithdraw: (() => void) | null;
}

/** The draft, or what stands in its place, before anybody writes here. */
export function Reading({ study, draft, report, loading, fault, withheld, onStart, onWithdraw }: Props) {
  const panel = useRef<HTMLElement>(null);
  const [keeping, setKeeping] = useState(false);
  const critical = useCritical(study);
  const looksFirst = withheld && study.reading.mode === "look-first";
  const others = study.lock !== null && !study.lock.mine ? study.lock.owner : null;
  return (
    <section className="report" aria-label="Report" ref={panel} tabIndex={-1}>
      {draft !== null && <DraftBanner />}
      <div className="report-status"><span className="quiet">{MODES[study.reading.mode]}</span></div>
      <CriticalPart study={study} critical={critical} />
      <div className="report-scroll">
        {withheld ? <Withheld study={study} /> : <Reason study={study} hasDraft={draft !== null} />}
        {others !== null && <p className="note" role="status">{`${others} has this study open for reporting. You can read along; writing is possible when it is given back.`}</p>}
        {report !== null && <Unsigned report={report} />}
        <Recorded study={study} />
        {draft !== null && report === null && <DraftText draft={draft} />}
        {fault !== null && <p className="problem" role="alert">{fault}</p>}
      </div>
      <footer className="report-foot">
        {loading && <p role="status" className="quiet">Reading the draft…</p>}
        {onStart === null && <p className="quiet">Your role reads reports; a radiologist writes and signs them.</p>}
        {looksFirst && <LookedButton study={study} isPrimary onLooked={() => { panel.current?.focus(); }} />}
        {onStart !== null && !loading && onWithdraw === null && <Starts study={study} draft={draft} report={report} withheld={withheld} isPrimary={!looksFirst} onStart={onStart} />}
        {withheld && onWithdraw !== null && <button type="button" onClick={onWithdraw}>Withdraw the report that was begun…</button>}
        {onStart !== null && report === null && <Redraft study={study} />}
        {onStart !== null && <button type="button" onClick={() => { setKeeping(true); }}>Templates…</button>}
      </footer>
      {keeping && <TextManager onClose={() => { setKeeping(false); }} />}
    </section>
  );
}

function Reason({ study, hasDraft }: { study: Study; hasDraft: boolean }) {
  const words = NO_DRAFT[study.state];
  if (hasDraft && study.current_draft?.stale === true) {
    return <p className="note" role="status">An image arrived after this draft was written. The draft is out of date; a new version is being prepared.</p>;
  }
  if (hasDraft || words === null) return study.reason && !hasDraft ? <p className="note">{study.reason}</p> : null;
  return (
    <div className="no-draft" role="status">
      <h2>No draft</h2>
      <p>{words}</p>
      {study.reason !== null && study.reason !== "" && <p className="why">{`Reason: ${study.reason}`}</p>}
    </div>
  );
}

const READABLE: ReadonlySet<Study["state"]> = new Set(["ready", "draft_unavailable", "not_eligible", "failed"]);

interface StartsProps extends Pick<Props, "study" | "draft" | "report" | "withheld"> {
  isPrimary: boolean;
  onStart: (fromDraft: string | null) => void;
}

function Starts({ study, draft, report, withheld, isPrimary, onStart }: StartsProps) {
  const canStart = report !== null || READABLE.has(study.state);
  const fromDraft = report === null && draft !== null && study.current_draft?.stale === false ? draft.id : null;
  const start = () => { onStart(fromDraft); };
  const words = report !== null ? "Go on with this report" : fromDraft !== null ? "Start from this draft" : byHand(study, withheld);
  usePrimaryKey(canStart && isPrimary ? start : null);
  if (!canStart) return <p className="quiet">Reporting can start when the study is ready.</p>;
  return (
    <>
      <button type="button" className={isPrimary ? "primary" : ""} title={isPrimary ? "Ctrl+Enter" : undefined} onClick={start}>{words}</button>
      {fromDraft !== null && <button type="button" onClick={() => { onStart(null); }}>Report by hand, without the draft</button>}
    </>
  );
}

function byHand({ reading }: Study, withheld: boolean): string {
  if (!withheld) return "Report by hand";
  return reading.mode === "second-reader" ? "Write my own report first" : "Report by hand, without the draft";
}

function Unsigned({ report }: { report: Report }) {
  return (
    <>
      <h2>{STATUSES[report.status]}</h2>
      <ReportBody findings={report.findings} impression={report.impression} />
      <p className="quiet">{`Being written by ${report.author}.`}</p>
    </>
  );
}

function DraftText({ draft }: { draft: Draft }) {
  return (
    <>
      {SECTIONS.map((section) => <DraftSection key={section} section={section} sentences={draft.sentences.filter((sentence) => sentence.section === section)} />)}
      <DraftFacts draft={draft} />
    </>
  );
}

function DraftSection({ section, sentences }: { section: Section; sentences: readonly DraftSentence[] }) {
  return (
    <>
      <h2 className="section-name">{section}</h2>
      {sentences.length === 0 && <p className="quiet">The draft says nothing here.</p>}
      <ol className="sentences">
        {sentences.map((sentence) => (
          <li key={sentence.index} className={`sentence sentence-pending ${sentence.flags.length > 0 ? "flagged" : ""}`}>
            <p className="wording">{sentence.text}</p>
            <SentenceFacts sentence={sentence} />
            <Flags flags={sentence.flags} />
          </li>
        ))}
      </ol>
    </>
  );
}
