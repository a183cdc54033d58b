import { useId, useState } from "react";
import { Field } from "../field";
import { FIRST_DAY, LAST_DAY, lastDays, periodFault, USUAL_DAYS, type Period } from "./period";

const PRESETS = [7, USUAL_DAYS, 90] as const;

/** Which days the figures are of; the usual ones at first. */
export function PeriodForm({ first, onAsk }: { first: Period; onAsk: (period: Period) => void }) {
  const [typed, setTyped] = useState(first);
  const [preset, setPreset] = useState<number | null>(USUAL_DAYS);
  const [fault, setFault] = useState<string | null>(null);
  const faultId = useId();
  const ask = (next: Period, days: number | null) => {
    const found = periodFault(next);
    setPreset(days);
    setTyped(next);
    setFault(found);
    if (found === null) onAsk(next);
  };
  const day = { type: "date", required: true, min: FIRST_DAY, max: LAST_DAY, "aria-invalid": fault !== null, "aria-describedby": fault === null ? undefined : faultId };
  return (
    <form
      className="period"
      aria-label="Days"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        ask(typed, null);
      }}
    >
      <Field label="First day" {...day} value={typed.from} onChange={(event) => { setTyped({ ...typed, from: event.target.value }); }} />
      <Field label="Last day" {...day} value={typed.to} onChange={(event) => { setTyped({ ...typed, to: event.target.value }); }} />
      <button type="submit">Show</button>
      <div className="chips" role="group" aria-label="Usual periods">
        {PRESETS.map((days) => (
          <button key={days} type="button" className="chip" aria-pressed={days === preset} onClick={() => { ask(lastDays(days, Date.now()), days); }}>
            {`Last ${days} days`}
          </button>
        ))}
      </div>
      <small>Days are in UTC, both included.</small>
      {fault !== null && <p id={faultId} className="problem" role="alert">{fault}</p>}
    </form>
  );
}
