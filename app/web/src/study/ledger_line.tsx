import type { LedgerEntry } from "../api/types";
import { dayInWords } from "../words/dates";
import { ledgerDecision } from "../words/said";
import { earlierBy } from "./captions";
import type { PickedPrior } from "./picked_prior";

const NEVER: ReadonlySet<LedgerEntry["fetch"]> = new Set(["identity_uncertain", "unfit"]);

/** One earlier study: what the search decided, whether it is shown, and the way to have it shown. */
export function LedgerLine({ entry, studyDate, picked }: { entry: LedgerEntry; studyDate: string | null; picked: PickedPrior }) {
  const isShown = picked.shown === entry;
  const isComing = entry.fetch === "fetching" || picked.asking === entry.study_instance_uid;
  const isAgain = entry.fetch === "failed" && !isComing;
  const refusal = picked.refused?.uid === entry.study_instance_uid && !isComing ? picked.refused.words : null;
  const day = dayInWords(entry.study_date);
  const interval = earlierBy(entry.study_date, studyDate);
  return (
    <li>
      <strong>{day}</strong>
      {interval === "" ? "" : ` (${interval})`}
      {entry.description ? `, ${entry.description}` : ""}
      {` — ${ledgerDecision(entry.decision)}`}
      {entry.reason ? `: ${entry.reason}` : ""}
      <div className="ledger-act">
        {!NEVER.has(entry.fetch) && (
          // Not `disabled`: the focus stays where the reader pressed.
          <button type="button" aria-disabled={isShown || isComing} onClick={() => { if (!isShown && !isComing) picked.pick(entry); }}>
            {isAgain ? "Try again" : "Show this study"}
            <span className="unseen">{isAgain ? ` to fetch the study of ${day}` : ` of ${day}`}</span>
          </button>
        )}
        <span aria-live="polite">{isShown ? "● Shown now" : isComing ? coming(entry) : (refusal ?? standing(entry))}</span>
      </div>
    </li>
  );
}

function coming({ fetch_reason: reason }: LedgerEntry): string {
  return reason === null ? "Being fetched…" : `Being fetched… The last attempt failed and is repeated: ${reason}`;
}

function standing({ fetch, fetch_reason: reason }: LedgerEntry): string {
  const because = reason === null ? "" : `: ${reason}`;
  if (fetch === "failed") return `⚠ Could not be fetched${because}`;
  if (fetch === "identity_uncertain") return `⚠ Cannot be shown: identity uncertain${because}`;
  return fetch === "unfit" ? `Cannot be shown${because}` : "";
}
