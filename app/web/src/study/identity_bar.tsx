import { useEffect, useRef } from "react";
import type { Study } from "../api/types";
import { dayInWords } from "../words/dates";
import { nameInWords, sexInWords } from "../words/person";
import { priorityInWords, STATES } from "../words/said";

/** Whose study this is. Name and number never scroll away. */
export function IdentityBar({ study }: { study: Study }) {
  const { patient } = study;
  const name = useRef<HTMLHeadingElement>(null);
  // Opening a study is a change of page: reading starts at whose study it is.
  useEffect(() => { name.current?.focus(); }, []);
  const facts: [string, string][] = [
    ["Patient ID", withIssuer(patient.id, patient.issuer)],
    ["Born", dayInWords(patient.birth_date)],
    ["Sex", sexInWords(patient.sex)],
    ["Accession", study.accession_number ?? "none"],
    ["Study date", dayInWords(study.study_date)],
    ["Study", study.description ?? ""],
    ["Priority", priorityInWords(study.priority)],
    ["Indication", study.indication ?? ""],
  ];
  return (
    <section className="identity" aria-label="Patient and study">
      <h1 ref={name} tabIndex={-1} data-number={withIssuer(patient.id, patient.issuer)}>{nameInWords(patient.name)}</h1>
      <Skips />
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}><dt>{name}</dt><dd>{value === "" ? "–" : value}</dd></div>
        ))}
      </dl>
      <span className={`state state-${study.state}`} role="status">{STATES[study.state]}</span>
    </section>
  );
}

/** Seen only with the focus on them: past the other part's buttons in one step. */
function Skips() {
  return (
    <p className="skips">
      <button type="button" onClick={() => { focusFirst(".report [data-index] [data-key], .report [data-field], .report-foot button:enabled"); }}>Go to the report</button>
      <button type="button" onClick={() => { focusFirst(".stage"); }}>Go to the images</button>
    </p>
  );
}

function focusFirst(selector: string): void {
  document.querySelector<HTMLElement>(selector)?.focus();
}

function withIssuer(id: string | null, issuer: string | null | undefined): string {
  if (id === null || id === "") return "none";
  return issuer ? `${id} (${issuer})` : id;
}
