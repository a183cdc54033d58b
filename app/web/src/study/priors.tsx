import type { Study } from "../api/types";
import { dayInWords, intervalInWords } from "../words/dates";
import { ledgerDecision, priorsInWords } from "../words/said";

/** How the search for priors ended, in words, and every candidate it met. */
export function Priors({ study }: { study: Study }) {
  const said = priorsInWords(study.priors.outcome);
  const { entries } = study.priors;
  return (
    <section className={`priors ${said.warns ? "warns" : ""}`} aria-label="Earlier studies">
      <p>
        <strong>{said.warns ? `⚠ ${said.headline}` : said.headline}</strong>
        {` ${said.detail}`}
        {said.warns && study.priors.reason ? ` Reason: ${study.priors.reason}` : ""}
      </p>
      {entries.length > 0 && (
        <details>
          <summary>{`Earlier studies considered: ${entries.length}`}</summary>
          <ul>
            {entries.map((entry) => (
              <li key={entry.study_instance_uid}>
                <strong>{dayInWords(entry.study_date)}</strong>
                {earlier(entry.study_date, study.study_date)}
                {entry.description ? `, ${entry.description}` : ""}
                {` — ${ledgerDecision(entry.decision)}`}
                {entry.reason ? `: ${entry.reason}` : ""}
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

function earlier(date: string | null, studyDate: string | null): string {
  const interval = intervalInWords(date, studyDate);
  if (interval === null) return "";
  return interval === "same day" ? " (same day)" : ` (${interval} earlier)`;
}
