import type { Study } from "../api/types";
import { priorsInWords } from "../words/said";
import { LedgerLine } from "./ledger_line";
import type { PickedPrior } from "./picked_prior";

/** How the search for priors ended, in words, and every candidate it met; another of them can be shown. */
export function Priors({ study, picked }: { study: Study; picked: PickedPrior }) {
  const said = priorsInWords(study.priors.outcome);
  const { entries } = study.priors;
  const isUnused = study.current_draft !== null && picked.home !== null && !picked.home.of_draft;
  return (
    <section className={`priors ${said.warns ? "warns" : ""}`} aria-label="Earlier studies">
      <p>
        <strong>{said.warns ? `⚠ ${said.headline}` : said.headline}</strong>
        {` ${said.detail}`}
        {isUnused ? " The current draft was written without it." : ""}
        {said.warns && study.priors.reason ? ` Reason: ${study.priors.reason}` : ""}
      </p>
      {entries.length > 0 && (
        <details>
          <summary>{`Earlier studies considered: ${entries.length}`}</summary>
          <ul>
            {entries.map((entry) => <LedgerLine key={entry.study_instance_uid} entry={entry} studyDate={study.study_date} picked={picked} />)}
          </ul>
        </details>
      )}
    </section>
  );
}
