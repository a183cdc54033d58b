import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState, type RefObject, type SubmitEvent } from "react";
import type { CriticalFinding, Report } from "../api/types";
import { useServices } from "../app_context";
import { Dialog } from "../dialog";
import { Field } from "../field";
import { momentInWords } from "../words/dates";
import { METHODS } from "../words/said";
import { factsOf, localMinute, missing, openingOf, recordOf, type Facts, type Found } from "./critical_form";

interface FoundProps {
  reportId: string;
  onClose: () => void;
  onOpened: (report: Report) => void;
}

/** A new finding: the service keeps it before anybody is told, so that it is not lost with this page. */
export function FoundDialog({ reportId, onClose, onOpened }: FoundProps) {
  const { client } = useServices();
  const [found, setFound] = useState<Found>(() => ({ finding: "", foundAt: localMinute(new Date()) }));
  const open = useMutation({ mutationFn: () => client.openCriticalFinding(reportId, openingOf(found)), onSuccess: onOpened });
  const { form, lacking, isTried, submit } = useForm(missing(found), () => { open.mutate(); });
  return (
    <Dialog title="Critical result" onClose={onClose}>
      <form ref={form} className="critical-form" noValidate onSubmit={submit}>
        <Finding value={found.finding} invalid={isTried && found.finding.trim() === ""} onChange={(finding) => { setFound({ ...found, finding }); }} />
        <Field label="Found at" type="datetime-local" name="foundAt" required value={found.foundAt} aria-invalid={isTried && lacking.some(([key]) => key === "foundAt")} onChange={(event) => { setFound({ ...found, foundAt: event.target.value }); }} />
        <p className="facts">It then stands on the study, for every reader, until it is recorded who was told or why it is not critical.</p>
        {isTried && lacking.length > 0 && <p className="problem" role="alert">{`Not opened. ${lackingInWords(lacking)}`}</p>}
        {open.isError && <p className="problem" role="alert">{open.error.message}</p>}
        <p className="buttons">
          <button type="submit" className="primary" disabled={open.isPending}>Open it</button>
          <button type="button" onClick={onClose}>Cancel</button>
        </p>
      </form>
    </Dialog>
  );
}

interface ToldProps {
  reportId: string;
  finding: CriticalFinding;
  /** Closed without an outcome: it stays open. */
  onClose: () => void;
  /** It is none after all. */
  onDrop: () => void;
  /** There is one more. */
  onAnother: () => void;
  onRecorded: (report: Report) => void;
}

/** Who was told of an open one: the six facts that make the communication count. */
export function ToldDialog({ reportId, finding, onClose, onDrop, onAnother, onRecorded }: ToldProps) {
  const { client } = useServices();
  const [facts, setFacts] = useState(() => factsOf(finding));
  const record = useMutation({ mutationFn: () => client.recordCriticalResult(reportId, recordOf(facts, finding.id)), onSuccess: onRecorded });
  const { form, lacking, isTried, submit } = useForm(missing(facts), () => { record.mutate(); });
  useEffect(() => { form.current?.querySelector<HTMLElement>("[name=toldTo]")?.focus(); }, [form]);
  const change = (part: Partial<Facts>) => { setFacts({ ...facts, ...part }); };
  const field = (name: keyof Facts, label: string, type = "text") => (
    <Field label={label} type={type} name={name} required value={facts[name]} aria-invalid={isTried && lacking.some(([key]) => key === name)} onChange={(event) => { change({ [name]: event.target.value }); }} />
  );
  return (
    <Dialog title="Critical result" onClose={onClose}>
      <form ref={form} className="critical-form" noValidate onSubmit={submit}>
        <p className="facts">{`Open since ${momentInWords(finding.opened_at)}, ${finding.opened_by}; somebody should be told by ${momentInWords(finding.due_at)}.`}</p>
        <Finding value={facts.finding} invalid={isTried && facts.finding.trim() === ""} onChange={(words) => { change({ finding: words }); }} />
        <div className="two">
          {field("foundAt", "Found at", "datetime-local")}
          {field("toldTo", "Told to")}
          <div className="with-now">
            {field("toldAt", "Told at", "datetime-local")}
            <button type="button" onClick={() => { change({ toldAt: localMinute(new Date()) }); }}>Now</button>
          </div>
          <Method value={facts.method} onChange={(method) => { change({ method }); }} />
        </div>
        <ReadBack value={facts.readBack} onChange={(readBack) => { change({ readBack }); }} />
        {isTried && lacking.length > 0 && <p className="problem" role="alert">{`Not recorded. ${lackingInWords(lacking)}`}</p>}
        {record.isError && <p className="problem" role="alert">{record.error.message}</p>}
        <p className="buttons">
          <button type="submit" className="primary" disabled={record.isPending}>Record</button>
          <button type="button" onClick={onClose}>Not told yet: keep it open</button>
          <button type="button" onClick={onDrop}>Not critical after all…</button>
          <button type="button" onClick={onAnother}>Another finding…</button>
        </p>
      </form>
    </Dialog>
  );
}

interface DropProps {
  reportId: string;
  finding: CriticalFinding;
  onBack: () => void;
  onDropped: (report: Report) => void;
}

/** Closes one that is not critical after all; it stays in the record, with the reason. */
export function DropDialog({ reportId, finding, onBack, onDropped }: DropProps) {
  const { client } = useServices();
  const [reason, setReason] = useState("");
  const drop = useMutation({ mutationFn: () => client.dropCriticalFinding(reportId, finding.id, reason), onSuccess: onDropped });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    drop.mutate();
  };
  return (
    <Dialog title="Not critical after all" onClose={onBack}>
      <form onSubmit={submit}>
        <p>{finding.finding}</p>
        <p className="facts">It stays in the record, with the reason.</p>
        <Field label="Reason" name="reason" required maxLength={500} value={reason} onChange={(event) => { setReason(event.target.value); }} />
        {drop.isError && <p className="problem" role="alert">{drop.error.message}</p>}
        <p className="buttons">
          <button type="submit" className="primary" disabled={drop.isPending || reason.trim() === ""}>Drop it</button>
          <button type="button" onClick={onBack}>Back</button>
        </p>
      </form>
    </Dialog>
  );
}

interface Form {
  form: RefObject<HTMLFormElement | null>;
  lacking: readonly [keyof Facts, string][];
  /** Set once it was sent in with something missing or not: from then on the form says what is missing. */
  isTried: boolean;
  submit: (event: SubmitEvent) => void;
}

/** Sends a form in when nothing is missing, else goes to the first field that is. */
function useForm(lacking: readonly [keyof Facts, string][], send: () => void): Form {
  const [isTried, setTried] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => { form.current?.querySelector<HTMLElement>("textarea")?.focus(); }, []);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setTried(true);
    if (lacking.length === 0) send();
    else form.current?.querySelector<HTMLElement>(`[name=${lacking[0]?.[0] ?? ""}]`)?.focus();
  };
  return { form, lacking, isTried, submit };
}

function lackingInWords(lacking: readonly [keyof Facts, string][]): string {
  return `Missing: ${lacking.map(([, name]) => name).join(", ")}.`;
}

function Finding({ value, invalid, onChange }: { value: string; invalid: boolean; onChange: (value: string) => void }) {
  return (
    <label className="own">
      Finding
      <textarea rows={2} name="finding" required maxLength={2000} value={value} aria-invalid={invalid} onChange={(event) => { onChange(event.target.value); }} />
    </label>
  );
}

function Method({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return (
    <label className="field">
      How
      <select name="method" required value={value} onChange={(event) => { onChange(event.target.value); }}>
        <option value="">Choose…</option>
        {METHODS.map((method) => <option key={method} value={method}>{method}</option>)}
      </select>
    </label>
  );
}

function ReadBack({ value, onChange }: { value: Facts["readBack"]; onChange: (value: "yes" | "no") => void }) {
  return (
    <fieldset>
      <legend>Read back by the one who was told</legend>
      {(["yes", "no"] as const).map((answer) => (
        <label key={answer} className="check">
          <input type="radio" name="readBack" value={answer} checked={value === answer} onChange={() => { onChange(answer); }} />
          {answer === "yes" ? "Yes" : "No"}
        </label>
      ))}
    </fieldset>
  );
}
