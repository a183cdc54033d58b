import { useId, useRef, useState, type SubmitEvent } from "react";
import { Field } from "../field";
import type { Order, Outcome } from "./calls";
import { ANYTHING, objection, type Wanted } from "./wanted";

interface Props {
  /** What can be asked for, as far as the page has seen. */
  actors: readonly string[];
  actions: readonly string[];
  busy: boolean;
  onSearch: (wanted: Wanted) => void;
}

export function SearchForm({ actors, actions, busy, onSearch }: Props) {
  const [wanted, setWanted] = useState(ANYTHING);
  const [objected, setObjected] = useState<string | null>(null);
  const form = useRef<HTMLFormElement>(null);
  const [actorsId, actionsId] = [useId(), useId()];
  const set = (change: Partial<Wanted>) => { setWanted({ ...wanted, ...change }); };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const found = objection(wanted);
    setObjected(found?.words ?? null);
    if (found === null) onSearch(wanted);
    else form.current?.querySelector<HTMLElement>(`[name="${found.field}"]`)?.focus();
  };
  const clear = () => {
    setWanted(ANYTHING);
    setObjected(null);
    onSearch(ANYTHING);
  };
  return (
    <form ref={form} className="audit-search" role="search" aria-label="Audit entries" noValidate onSubmit={submit}>
      <Field label="From" name="from" type="datetime-local" value={wanted.from} onChange={(event) => { set({ from: event.target.value }); }} />
      <Field label="Until (before)" name="until" type="datetime-local" value={wanted.until} onChange={(event) => { set({ until: event.target.value }); }} />
      <Field label="Actor, such as user:ada" name="actor" list={actorsId} autoComplete="off" spellCheck={false} maxLength={80} value={wanted.actor} onChange={(event) => { set({ actor: event.target.value }); }} />
      <Field label="Action, or its group: report" name="action" list={actionsId} autoComplete="off" spellCheck={false} maxLength={48} value={wanted.action} onChange={(event) => { set({ action: event.target.value }); }} />
      <Field label="Study Instance UID" name="study" autoComplete="off" spellCheck={false} maxLength={64} value={wanted.study} onChange={(event) => { set({ study: event.target.value }); }} />
      <label className="field">
        Outcome
        <select value={wanted.outcome} onChange={(event) => { set({ outcome: event.target.value as Outcome | "" }); }}>
          <option value="">Any</option>
          <option value="success">Done</option>
          <option value="failure">Failed</option>
        </select>
      </label>
      <label className="field">
        Order
        <select value={wanted.order} onChange={(event) => { set({ order: event.target.value as Order }); }}>
          <option value="newest">Newest first</option>
          <option value="oldest">Oldest first</option>
        </select>
      </label>
      <p className="buttons">
        <button type="submit" className="primary" disabled={busy}>Search</button>
        <button type="button" onClick={clear}>Clear</button>
      </p>
      {objected !== null && <p className="problem" role="alert">{objected}</p>}
      <datalist id={actorsId}>{actors.map((actor) => <option key={actor} value={actor} />)}</datalist>
      <datalist id={actionsId}>{actions.map((action) => <option key={action} value={action} />)}</datalist>
    </form>
  );
}
