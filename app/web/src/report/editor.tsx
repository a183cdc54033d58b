import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import type { Draft, Remark, Report, Study } from "../api/types";
import { useServices } from "../app_context";
import { MODES, STATUSES } from "../words/said";
import type { SaveState } from "./autosave";
import { blockers } from "./blockers";
import { Compare } from "./compare";
import { Conflict } from "./conflict";
import { CriticalPart, Recorded, useCritical } from "./critical";
import { Dialogs, DRAFT_AS_A_WHOLE, type Open } from "./dialogs";
import { DiffView } from "./diff_view";
import { DraftBanner, DraftFacts } from "./draft_parts";
import { EditorFoot } from "./editor_foot";
import type { Lock } from "./lock";
import { holdNow, LockLine } from "./lock_line";
import { useOwnTextKept } from "./own_text_kept";
import { focusOn, usePanelKeys } from "./panel_keys";
import { ReportBody } from "./report_body";
import { Revised, revision } from "./revised";
import { SaveLine } from "./save_line";
import { useSavedTexts } from "./saved_texts";
import { SectionEditor } from "./section_editor";
import { TextFields, TextFieldsContext } from "./text_fields";
import { Tools } from "./tools";
import { Withheld } from "./withheld";
import { SECTIONS, workOf, written } from "./work";
import { useWork } from "./working";

interface Props {
  study: Study;
  draft: Draft | null;
  report: Report;
  lock: Lock;
  imageFault: boolean;
  /** Why going over to another draft did not succeed. */
  fault: string | null;
  /** Goes over to another draft of the study, or to none; the text stays, the decisions begin anew. */
  onGoOver: (draftId: string | null) => void;
  /** Signed or withdrawn: this report is no longer written here. */
  onFinished: () => void;
}

/** The report while it is written: sentence by sentence from the draft, in own words beside it, saved as it grows. */
export function Editor({ study, draft, report, lock, imageFault, fault, onGoOver, onFinished }: Props) {
  const { desk } = useServices();
  const [saver] = useState(() => desk.autosave(report));
  const [{ work, past }, act] = useWork(saver, draft);
  const save = useSyncExternalStore(saver.subscribe, saver.snapshot);
  const texts = useSavedTexts();
  const fields = useMemo(() => new TextFields(), []);
  const critical = useCritical(study);
  const [seenElsewhere, setSeenElsewhere] = useState(false);
  const [open, setOpen] = useState<Open | null>(null);
  const [diff, setDiff] = useState(draft !== null && report.reading_mode === "second-reader");
  const [remarks, setRemarks] = useState<ReadonlyMap<number, readonly Remark["kind"][]>>(new Map());
  const hold = holdNow(lock.hold, save);
  const locked = hold.kind !== "mine";
  const revised = revision(study, report);
  const reasons = blockers({ work, save, hold, imageFault: imageFault && !seenElsewhere, changed: revised !== null, criticalOpen: critical.open.length > 0 });
  const text = written(work);
  const panel = useRef<HTMLElement>(null);
  const toText = useRef(false);
  usePanelKeys(panel);
  useOwnTextKept(study, report, save);
  // The button that opened the editor is gone: the focus goes on to the first thing to decide or to write.
  useEffect(() => { panel.current?.querySelector<HTMLElement>("[data-index] [data-key], [data-field]")?.focus(); }, []);
  // What was put in is gone on with where it stands.
  useEffect(() => {
    if (open !== null || !toText.current) return;
    toText.current = false;
    fields.focus(fields.sectionInUse());
  }, [fields, open]);
  const undo = () => {
    act({ type: "undo" });
    focusOn(panel.current?.querySelector<HTMLElement>(`[data-index="${past.at(-1)?.draft.index ?? ""}"]`));
  };
  const canCompare = draft === null && report.reading_mode === "second-reader" && study.reading.draft === "shown";

  return (
    <TextFieldsContext value={fields}>
      <section className="report" aria-label="Report" ref={panel}>
        {draft !== null && <DraftBanner />}
        <StatusLine report={report} save={save} />
        <Tools
          work={work}
          hasDraft={draft !== null}
          locked={locked}
          canUndo={past.length > 0}
          isDiffShown={diff}
          allSeen={!imageFault && study.reading.unviewed.length === 0}
          onAcceptAll={() => { act({ type: "accept all" }); }}
          onUndo={undo}
          onDiff={() => { setDiff(!diff); }}
          onTexts={() => { setOpen({ kind: "texts" }); }}
          onCritical={critical.ask}
        />
        <LockLine hold={hold} claim={lock.claim} onHeld={() => { saver.retry(); }} />
        {revised !== null && <Revised revised={revised} study={study} saver={saver} onGoOver={onGoOver} />}
        {fault !== null && <p className="problem" role="alert">{fault}</p>}
        {save.kind === "conflict" && <Conflict saver={saver} onTaken={(theirs) => { act({ type: "replace", work: workOf(theirs, draft) }); }} />}
        <CriticalPart study={study} critical={critical} />
        <div className="report-scroll">
          {draft === null && study.reading.draft === "withheld" && study.current_draft !== null && <Withheld study={study} />}
          {canCompare && <Compare study={study} saver={saver} onCompare={onGoOver} />}
          {diff && draft !== null && <DiffView work={work} />}
          {SECTIONS.map((section) => (
            <SectionEditor
              key={section}
              section={section}
              work={work}
              locked={locked}
              texts={texts}
              remarks={remarks}
              onChange={act}
              onPick={() => { setOpen({ kind: "texts" }); }}
              onRemark={(sentence) => { setOpen({ kind: "remark", sentence }); }}
            />
          ))}
          <Recorded study={study} />
          <details className="as-it-stands">
            <summary>The report as it stands</summary>
            <ReportBody findings={text.findings} impression={text.impression} />
          </details>
          {draft !== null && (
            <DraftFacts draft={draft}>
              <p><button type="button" onClick={() => { setOpen({ kind: "remark", sentence: null }); }}>Feedback on the draft as a whole…</button></p>
              {remarks.has(DRAFT_AS_A_WHOLE) && <p className="facts" role="status">Feedback sent.</p>}
            </DraftFacts>
          )}
        </div>
        <EditorFoot
          imageFault={imageFault}
          seenElsewhere={seenElsewhere}
          onSeenElsewhere={setSeenElsewhere}
          reasons={reasons}
          locked={locked}
          onSign={() => { setOpen({ kind: "sign" }); }}
          onWithdraw={() => { setOpen({ kind: "withdraw" }); }}
        />
        {open !== null && (
          <Dialogs
            open={open}
            study={study}
            draft={draft}
            report={report}
            saver={saver}
            texts={texts}
            onOpen={setOpen}
            onInsert={(chosen) => {
              fields.insert(chosen);
              toText.current = true;
              setOpen(null);
            }}
            onRemarked={(index, kind) => {
              setRemarks(new Map(remarks).set(index, [...(remarks.get(index) ?? []), kind]));
              setOpen(null);
            }}
            onFinished={onFinished}
          />
        )}
      </section>
    </TextFieldsContext>
  );
}

function StatusLine({ report, save }: { report: Report; save: SaveState }) {
  return (
    <div className="report-status">
      <span><strong>{STATUSES[report.status]}</strong><span className="quiet">{` · ${MODES[report.reading_mode]}`}</span></span>
      <SaveLine save={save} />
    </div>
  );
}
