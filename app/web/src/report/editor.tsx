import { useEffect, useReducer, useRef, useState, useSyncExternalStore } from "react";
import type { Draft, Report, Section, Study } from "../api/types";
import { useServices } from "../app_context";
import { usePrimaryKey } from "../primary_key";
import { STATUSES } from "../words/said";
import type { Autosave, SaveState } from "./autosave";
import { blockers } from "./blockers";
import { Conflict } from "./conflict";
import { DraftBanner, DraftFacts } from "./draft_parts";
import type { Hold, Lock } from "./lock";
import { ReportBody } from "./report_body";
import { Revised, revision } from "./revised";
import { SaveLine } from "./save_line";
import { SentenceCard } from "./sentence_card";
import { useSentenceKeys } from "./sentence_keys";
import { SignDialog } from "./sign_dialog";
import { WithdrawDialog } from "./withdraw_dialog";
import { changed, isSame, SECTIONS, textOf, workOf, written, type Change, type Work } from "./work";

interface Props {
  study: Study;
  draft: Draft | null;
  report: Report;
  lock: Lock;
  imageFault: boolean;
  /** Goes over to another draft of the study, or to none; the text stays, the decisions begin anew. */
  onGoOver: (draftId: string | null) => void;
  /** Signed or withdrawn: this report is no longer written here. */
  onFinished: () => void;
}

/** The report while it is written: sentence by sentence from the draft, in own words beside it, saved as it grows. */
export function Editor({ study, draft, report, lock, imageFault, onGoOver, onFinished }: Props) {
  const { desk } = useServices();
  const [saver] = useState(() => desk.autosave(report));
  const [work, change] = useWork(saver, draft);
  const save = useSyncExternalStore(saver.subscribe, saver.snapshot);
  const [seenElsewhere, setSeenElsewhere] = useState(false);
  const [dialog, setDialog] = useState<"sign" | "withdraw" | null>(null);
  const hold = holdNow(lock.hold, save);
  const locked = hold.kind !== "mine";
  const revised = revision(study, report);
  const reasons = blockers({ work, save, hold, imageFault: imageFault && !seenElsewhere, changed: revised !== null });
  const text = written(work);
  const panel = useRef<HTMLElement>(null);
  useSentenceKeys(panel);
  // The button that opened the editor is gone: the focus goes on to the first thing to decide or to write.
  useEffect(() => { panel.current?.querySelector<HTMLElement>("[data-key], textarea")?.focus(); }, []);
  usePrimaryKey(reasons.length === 0 ? () => { setDialog("sign"); } : null);

  return (
    <section className="report" aria-label="Report" ref={panel}>
      {draft !== null && <DraftBanner />}
      <div className="report-status">
        <strong>{STATUSES[report.status]}</strong>
        <SaveLine save={save} />
      </div>
      <LockLine hold={hold} claim={lock.claim} onHeld={() => { saver.retry(); }} />
      {revised !== null && <Revised revised={revised} study={study} saver={saver} onGoOver={onGoOver} />}
      {save.kind === "conflict" && <Conflict saver={saver} onTaken={(theirs) => { change({ type: "replace", work: workOf(theirs, draft) }); }} />}
      <div className="report-scroll">
        {SECTIONS.map((section) => <SectionEditor key={section} section={section} work={work} locked={locked} onChange={change} />)}
        <details className="as-it-stands">
          <summary>The report as it stands</summary>
          <ReportBody findings={text.findings} impression={text.impression} />
        </details>
        {draft !== null && <DraftFacts draft={draft} />}
      </div>
      <footer className="report-foot">
        {imageFault && (
          <label className="check">
            <input type="checkbox" checked={seenElsewhere} onChange={(event) => { setSeenElsewhere(event.target.checked); }} />
            An image is not shown here; I have viewed it on another system
          </label>
        )}
        {reasons.length > 0 && <ul className="blockers" aria-label="Before signing">{reasons.map((reason) => <li key={reason}>{reason}</li>)}</ul>}
        <button type="button" className="primary" disabled={reasons.length > 0} title="Sign (Ctrl+Enter)" onClick={() => { setDialog("sign"); }}>Sign…</button>
        <button type="button" disabled={locked} onClick={() => { setDialog("withdraw"); }}>Withdraw…</button>
      </footer>
      {dialog === "sign" && <SignDialog study={study} saver={saver} onClose={() => { setDialog(null); }} onSigned={onFinished} />}
      {dialog === "withdraw" && <WithdrawDialog reportId={report.id} saver={saver} onClose={() => { setDialog(null); }} onWithdrawn={onFinished} />}
    </section>
  );
}

/** The work of a report, handed to the saver at each change that alters what would be saved. */
function useWork(saver: Autosave, draft: Draft | null): [Work, (change: Change) => void] {
  const [work, dispatch] = useReducer(changed, null, () => workOf(saver.unsaved ?? textOf(saver.saved), draft));
  const handed = useRef(written(work));
  useEffect(() => {
    const text = written(work);
    if (isSame(text, handed.current)) return;
    handed.current = text;
    saver.change(text);
  }, [saver, work]);
  useEffect(() => {
    saver.retry();
    const onHide = () => {
      if (document.visibilityState === "hidden") saver.flush().catch(() => undefined);
    };
    const onUnload = (event: BeforeUnloadEvent) => {
      if (saver.unsaved !== null) event.preventDefault();
    };
    document.addEventListener("visibilitychange", onHide);
    window.addEventListener("beforeunload", onUnload);
    return () => {
      document.removeEventListener("visibilitychange", onHide);
      window.removeEventListener("beforeunload", onUnload);
    };
  }, [saver]);
  return [work, dispatch];
}

function SectionEditor({ section, work, locked, onChange }: { section: Section; work: Work; locked: boolean; onChange: (change: Change) => void }) {
  const sentences = work.sentences.filter(({ draft }) => draft.section === section);
  const whole = work.whole[section];
  return (
    <section className="section" aria-label={section}>
      <h2 className="section-name">{section}</h2>
      <ol className="sentences">
        {sentences.map((sentence) => <SentenceCard key={sentence.draft.index} sentence={sentence} locked={locked} onChange={onChange} />)}
      </ol>
      <label className="own">
        {whole && sentences.length > 0 ? `${section}, whole text (kept from before; each decision above changes its sentence in it)` : ownLabel(section, sentences.length > 0)}
        <textarea rows={whole ? 6 : 2} spellCheck value={work.own[section]} readOnly={locked} onChange={(event) => { onChange({ type: "own", section, text: event.target.value }); }} />
      </label>
    </section>
  );
}

function ownLabel(section: Section, hasDraft: boolean): string {
  return hasDraft ? `Add to ${section} in your own words` : `Your ${section}`;
}

/** A save that was refused because of another's lock is known before the next heartbeat. */
function holdNow(hold: Hold, save: SaveState): Hold {
  return save.kind === "refused" && save.problem.owner !== null ? { kind: "lost", owner: save.problem.owner } : hold;
}

function LockLine({ hold, claim, onHeld }: { hold: Hold; claim: Lock["claim"]; onHeld: () => void }) {
  const [fault, setFault] = useState<string | null>(null);
  if (hold.kind === "mine" && !hold.shaky) return null;
  if (hold.kind === "mine") return <p className="problem" role="alert">The service has not been reached for a minute: the study may be free for others. What you type stays here and is saved when the connection is back.</p>;
  const again = () => {
    setFault(null);
    claim().then(onHeld, (error: unknown) => { setFault(error instanceof Error ? error.message : String(error)); });
  };
  return (
    <div className="problem" role="alert">
      <p>{hold.kind === "lost" && hold.owner !== null ? `${hold.owner} has this study now.` : "You do not hold this study any more."} Your text is kept in this page.</p>
      {fault !== null && <p>{fault}</p>}
      <button type="button" onClick={again}>Claim it again</button>
    </div>
  );
}
