import { useState, type SubmitEvent } from "react";
import type { WriteText } from "../api/types";
import { Field } from "../field";
import { objection, sent } from "./text_edit";

interface Props {
  start: WriteText;
  isNew: boolean;
  mayChooseSite: boolean;
  busy: boolean;
  fault: string | null;
  onSave: (text: WriteText) => void;
  onRemove: (() => void) | null;
  onCancel: () => void;
}

/** One template or macro while it is written. */
export function TextForm({ start, isNew, mayChooseSite, busy, fault, onSave, onRemove, onCancel }: Props) {
  const [text, setText] = useState(start);
  const [isTried, setTried] = useState(false);
  const objected = objection(text);
  const set = (change: Partial<WriteText>) => { setText({ ...text, ...change }); };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setTried(true);
    if (objected === null) onSave(sent(text));
  };
  return (
    <form className="text-form" noValidate onSubmit={submit}>
      <div className="two">
        <label className="field">
          Kind
          <select value={text.kind} onChange={(event) => { set({ kind: event.target.value as WriteText["kind"] }); }}>
            <option value="macro">Macro: put in where its shortcut is typed</option>
            <option value="template">Template: fills both sections</option>
          </select>
        </label>
        {mayChooseSite && isNew && (
          <label className="field">
            Whose
            <select value={text.scope} onChange={(event) => { set({ scope: event.target.value as WriteText["scope"] }); }}>
              <option value="personal">Mine</option>
              <option value="site">The site’s, for everybody</option>
            </select>
          </label>
        )}
        <Field label="Shortcut" name="shortcut" maxLength={32} autoComplete="off" value={text.shortcut} onChange={(event) => { set({ shortcut: event.target.value }); }} />
        <Field label="Title" name="title" maxLength={128} autoComplete="off" value={text.title} onChange={(event) => { set({ title: event.target.value }); }} />
      </div>
      {text.kind === "macro" && <Words label="Text; a place to fill in is written as [size]" value={text.text} onChange={(value) => { set({ text: value }); }} />}
      {text.kind === "template" && (
        <>
          <Words label="Findings; a place to fill in is written as [size]" value={text.findings} onChange={(value) => { set({ findings: value }); }} />
          <Words label="Impression" value={text.impression} onChange={(value) => { set({ impression: value }); }} />
          <Field label="Default for this procedure (its description; may be empty)" name="procedure" maxLength={128} value={text.procedure_description} onChange={(event) => { set({ procedure_description: event.target.value }); }} />
        </>
      )}
      {isTried && objected !== null && <p className="problem" role="alert">{objected}</p>}
      {fault !== null && <p className="problem" role="alert">{fault}</p>}
      <p className="buttons">
        <button type="submit" className="primary" disabled={busy}>Save</button>
        {onRemove !== null && <button type="button" disabled={busy} onClick={onRemove}>Delete…</button>}
        <button type="button" onClick={onCancel}>Cancel</button>
      </p>
    </form>
  );
}

function Words({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
  return (
    <label className="own">
      {label}
      <textarea rows={3} spellCheck maxLength={20_000} value={value} onChange={(event) => { onChange(event.target.value); }} />
    </label>
  );
}
