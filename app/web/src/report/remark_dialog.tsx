import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState, type KeyboardEvent, type SubmitEvent } from "react";
import type { DraftSentence, Remark } from "../api/types";
import { useServices } from "../app_context";
import { Dialog } from "../dialog";
import { REMARKS } from "../words/said";

interface Props {
  draftId: string;
  /** The sentence it is about; null: the draft as a whole. */
  sentence: DraftSentence | null;
  onClose: () => void;
  onGiven: (kind: Remark["kind"]) => void;
}

/** What is wrong with the draft, for those who train the model: it changes nothing in the report. */
export function RemarkDialog({ draftId, sentence, onClose, onGiven }: Props) {
  const { client } = useServices();
  const [kind, setKind] = useState<Remark["kind"] | null>(sentence === null ? "missed" : null);
  const [note, setNote] = useState("");
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => { first.current?.focus(); }, []);
  const give = useMutation({
    mutationFn: (chosen: Remark["kind"]) => client.remark(draftId, { sentence_index: sentence?.index ?? null, kind: chosen, note: note.trim() }),
    onSuccess: (_done, chosen) => { onGiven(chosen); },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (kind !== null) give.mutate(kind);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const chosen = event.target instanceof HTMLInputElement ? REMARKS[Number(event.key) - 1] : undefined;
    if (chosen !== undefined) setKind(chosen.kind);
  };
  return (
    <Dialog title={sentence === null ? "What is wrong with this draft?" : "What is wrong with this sentence?"} onClose={onClose}>
      {sentence !== null && <p className="prose">{`“${sentence.text}”`}</p>}
      <form onSubmit={submit}>
        <fieldset>
          <legend>Kind</legend>
          {REMARKS.map(({ kind: one, words }, at) => (
            <label key={one} className="check">
              <input ref={at === 0 ? first : undefined} type="radio" name="kind" value={one} checked={kind === one} onChange={() => { setKind(one); }} onKeyDown={onKeyDown} />
              {`${at + 1}  ${words}`}
            </label>
          ))}
        </fieldset>
        <label className="own">
          Note, if you like (kept with the draft; no patient’s name, please)
          <textarea rows={2} maxLength={2000} value={note} onChange={(event) => { setNote(event.target.value); }} />
        </label>
        {give.isError && <p className="problem" role="alert">{give.error.message}</p>}
        <p className="buttons">
          <button type="submit" className="primary" disabled={kind === null || give.isPending}>Send feedback</button>
          <button type="button" onClick={onClose}>Cancel</button>
        </p>
      </form>
    </Dialog>
  );
}
