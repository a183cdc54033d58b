import { useState } from "react";
import type { Report, Study } from "../api/types";
import type { Autosave } from "./autosave";
import { Redraft } from "./redraft";
import { LookedButton, Withheld } from "./withheld";

/** How a study can have changed under a report that is being written. */
export type Revision = "arriving" | "newer_draft" | "no_newer_draft" | "to_be_seen";

const WORDS: Readonly<Record<Revision, string>> = {
  arriving: "The study has changed and is being prepared again. Your text is kept; you can go on writing, and sign when it is ready.",
  newer_draft: "The study has changed, and a newer draft is ready. Go over to it: your text stays, and you decide on the new draft's sentences.",
  no_newer_draft: "The study has changed, and no newer draft could be written. Ask for one, or go on by hand: your text stays.",
  to_be_seen: "Images or priors of this study changed while you were reporting. Look at them before you sign.",
};
const PREPARING: ReadonlySet<Study["state"]> = new Set(["receiving", "gathering_priors", "drafting"]);

/** What changed since the report was begun, or null: then it can be signed as far as the study is concerned. */
export function revision(study: Study, report: Report): Revision | null {
  if (PREPARING.has(study.state)) return "arriving";
  const { current_draft: draft } = study;
  const isOutdated = report.draft_id !== null && (draft?.id !== report.draft_id || draft.stale);
  if (isOutdated) return draft === null || draft.stale ? "no_newer_draft" : "newer_draft";
  return study.state === "in_review" ? null : "to_be_seen";
}

interface Props {
  revised: Revision;
  study: Study;
  saver: Autosave;
  onGoOver: (draftId: string | null) => void;
}

export function Revised({ revised, study, saver, onGoOver }: Props) {
  const [busy, setBusy] = useState(false);
  const draftId = study.current_draft?.id ?? null;
  const isWithheld = study.reading.draft === "withheld";
  const goOver = (to: string | null) => {
    setBusy(true);
    saver
      .flush()
      .then(() => { onGoOver(to); })
      .catch(() => undefined)
      .finally(() => { setBusy(false); });
  };
  return (
    <div className="note" role="status">
      <p>{WORDS[revised]}</p>
      {revised === "newer_draft" && isWithheld && <Withheld study={study} />}
      {revised === "newer_draft" && isWithheld && study.reading.mode === "look-first" && <LookedButton study={study} isPrimary={false} onLooked={() => undefined} />}
      {revised === "newer_draft" && !isWithheld && <button type="button" disabled={busy} onClick={() => { goOver(draftId); }}>{`Go over to draft version ${study.current_draft?.version ?? ""}`}</button>}
      {revised === "no_newer_draft" && <button type="button" disabled={busy} onClick={() => { goOver(null); }}>Go on by hand</button>}
      {revised === "no_newer_draft" && <Redraft study={study} />}
      {revised === "to_be_seen" && <button type="button" onClick={() => void saver.touch().catch(() => undefined)}>I have looked at them</button>}
    </div>
  );
}
