import type { LedgerEntry, Study } from "../api/types";
import { dayInWords } from "../words/dates";
import { earlierBy } from "./captions";
import type { PickedPrior } from "./picked_prior";

/** While another prior than the usual one is shown: that it is so, what the draft was written from, and the way back. */
export function OtherPrior({ study, picked }: { study: Study; picked: PickedPrior }) {
  const { shown, home, back } = picked;
  const isOther = shown !== null && shown !== home;
  const onBack = () => {
    back();
    // The button is gone with what it undoes; the list is where another study is picked.
    document.querySelector<HTMLElement>(".priors summary")?.focus();
  };
  return (
    <div className={isOther ? "other-prior" : ""}>
      <p role="status">{isOther ? `⚠ ${words(study, shown, home)}` : ""}</p>
      {isOther && <button type="button" onClick={onBack}>{wayBack(home)}</button>}
    </div>
  );
}

function words(study: Study, shown: LedgerEntry, home: LedgerEntry | null): string {
  const interval = earlierBy(shown.study_date, study.study_date);
  const what = `The prior shown, of ${dayInWords(shown.study_date)}${interval === "" ? "" : `, ${interval}`}, is your choice`;
  const drafted = study.priors.entries.find(({ of_draft }) => of_draft);
  if (shown.of_draft) return `${what} and the draft’s prior.`;
  if (drafted !== undefined) return `${what}, not the draft’s prior: the draft was written from the study of ${dayInWords(drafted.study_date)}.`;
  if (study.current_draft !== null) return `${what}: the draft was written without it.`;
  return home === null ? `${what}: the search chose none.` : `${what}: the search chose the study of ${dayInWords(home.study_date)}.`;
}

function wayBack(home: LedgerEntry | null): string {
  if (home === null) return "Back to no prior";
  return home.of_draft ? "Back to the draft’s prior" : "Back to the chosen prior";
}
