import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState, type SubmitEvent } from "react";
import type { Report } from "../api/types";
import { useServices } from "../app_context";
import { Dialog } from "../dialog";
import { Field } from "../field";
import { METHODS } from "../words/said";
import { isBegun, localMinute, missing, recordOf, type Facts } from "./critical_form";

interface Props {
  reportId: string;
  facts: Facts;
  onChange: (facts: Facts) => void;
  /** Closed without an outcome: it stays open. */
  onClose: () => void;
  /** It is none after all. */
  onDropped: () => void;
  onRecorded: (report: Report) => void;
}

/** Who was told of a critical finding: the six facts that make the communication count. */
export function CriticalDialog({ reportId, facts, onChange, onClose, onDropped, onRecorded }: Props) {
  const { client } = useServices();
  const [isTried, setTried] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => { form.current?.querySelector<HTMLElement>("textarea")?.focus(); }, []);
  const record = useMutation({ mutationFn: () => client.recordCriticalResult(reportId, recordOf(facts)), onSuccess: onRecorded });
  const lacking = missing(facts);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setTried(true);
    if (lacking.length === 0) record.mutate();
    else form.current?.querySelector<HTMLElement>(`[name=${lacking[0]?.[0] ?? ""}]`)?.focus();
  };
  const field = (name: keyof Facts, label: string, type = "text") => (
    <Field label={label} type={type} name={name} required value={facts[name]} aria-invalid={isTried && lacking.some(([key]) => key === name)} onChange={(event) => { onChange({ ...facts, [name]: event.target.value }); }} />
  );
  return (
    <Dialog title="Critical result" onClose={onClose}>
      <form ref={form} className="critical-form" noValidate onSubmit={submit}>
        <label className="own">
          Finding
          <textarea rows={2} name="finding" required maxLength={2000} value={facts.finding} aria-invalid={isTried && facts.finding.trim() === ""} onChange={(event) => { onChange({ ...facts, finding: event.target.value }); }} />
        </label>
        <div className="two">
          {field("foundAt", "Found at", "datetime-local")}
          {field("toldTo", "Told to")}
          <div className="with-now">
            {field("toldAt", "Told at", "datetime-local")}
            <button type="button" onClick={() => { onChange({ ...facts, toldAt: localMinute(new Date()) }); }}>Now</button>
          </div>
          <Method value={facts.method} onChange={(method) => { onChange({ ...facts, method }); }} />
        </div>
        <fieldset>
          <legend>Read back by the one who was told</legend>
          {(["yes", "no"] as const).map((answer) => (
            <label key={answer} className="check">
              <input type="radio" name="readBack" value={answer} checked={facts.readBack === answer} onChange={() => { onChange({ ...facts, readBack: answer }); }} />
              {answer === "yes" ? "Yes" : "No"}
            </label>
          ))}
        </fieldset>
        {isTried && lacking.length > 0 && <p className="problem" role="alert">{`Not recorded. Missing: ${lacking.map(([, name]) => name).join(", ")}.`}</p>}
        {record.isError && <p className="problem" role="alert">{record.error.message}</p>}
        <p className="buttons">
          <button type="submit" className="primary" disabled={record.isPending}>Record</button>
          <button type="button" onClick={onClose}>{isBegun(facts) ? "Not told yet: keep it open" : "Cancel"}</button>
          {isBegun(facts) && <button type="button" onClick={onDropped}>Not critical after all</button>}
        </p>
      </form>
    </Dialog>
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
