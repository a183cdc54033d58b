import { useState } from "react";
import type { Study } from "../api/types";
import type { Autosave } from "./autosave";

/** For a second reader whose own text is kept: the draft may come beside it now. */
export function Compare({ study, saver, onCompare }: { study: Study; saver: Autosave; onCompare: (draftId: string) => void }) {
  const [busy, setBusy] = useState(false);
  const draft = study.current_draft;
  if (draft === null || draft.stale) return null;
  const compare = () => {
    setBusy(true);
    saver
      .flush()
      .then(() => { onCompare(draft.id); })
      .catch(() => undefined)
      .finally(() => { setBusy(false); });
  };
  return (
    <div className="note" role="status">
      <p>Your own text is saved. You can compare it with the draft now: your text stays as it is, and you decide on each sentence of the draft.</p>
      <button type="button" disabled={busy} onClick={compare}>Compare with the draft</button>
    </div>
  );
}
