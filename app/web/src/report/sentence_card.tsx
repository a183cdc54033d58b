import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import type { Remark } from "../api/types";
import { useTitle } from "../keys/keys_context";
import { REMARKS } from "../words/said";
import { Flags, SentenceFacts } from "./draft_parts";
import { areaField, useTextFields } from "./text_fields";
import type { Change, WorkSentence } from "./work";

const DECIDED: Readonly<Record<WorkSentence["decision"], string>> = {
  pending: "○ Not decided",
  accepted: "✓ Accepted",
  edited: "✎ Edited",
  rejected: "✕ Rejected",
};

interface Props {
  sentence: WorkSentence;
  locked: boolean;
  onChange: (change: Change) => void;
  /** What the reader has told those who train the model about it. */
  remarks?: readonly Remark["kind"][];
  onRemark: () => void;
}

/** One sentence of the draft: its words, why to doubt it, and what a reader can do with it. */
export function SentenceCard({ sentence, locked, onChange, remarks = [], onRemark }: Props) {
  const [editing, setEditing] = useState(false);
  const editButton = useRef<HTMLButtonElement>(null);
  const { draft, decision, text } = sentence;
  const { index } = draft;
  const titleOf = useTitle("report");
  const done = () => {
    setEditing(false);
    editButton.current?.focus();
  };

  return (
    <li className={`sentence sentence-${decision} ${draft.flags.length > 0 ? "flagged" : ""}`} data-index={index} data-decision={decision}>
      {editing && !locked ? (
        <EditBox sentence={sentence} onChange={onChange} onDone={done} />
      ) : (
        <p className="wording">{decision === "edited" ? text : draft.text}</p>
      )}
      {decision === "edited" && <p className="was"><span className="unseen">The draft said: </span><del>{draft.text}</del></p>}
      <SentenceFacts sentence={draft} />
      <Flags flags={draft.flags} />
      {remarks.length > 0 && <p className="facts" role="status">{`Feedback sent: ${remarks.map(remarkInWords).join(", ").toLowerCase()}`}</p>}
      <div className="decisions">
        <span className="decision">{DECIDED[decision]}</span>
        <Choice name="Accept" keyName="a" pressed={decision === "accepted"} locked={locked} draft={draft.text} onPress={() => { onChange({ type: "accept", index }); }} />
        <button ref={editButton} type="button" data-key="e" aria-pressed={decision === "edited"} disabled={locked} title={titleOf("Edit", "e")} onClick={() => { setEditing(true); }}>
          Edit<span className="unseen">{` “${draft.text}”`}</span>
        </button>
        <Choice name="Reject" keyName="x" pressed={decision === "rejected"} locked={locked} draft={draft.text} onPress={() => { onChange({ type: "reject", index }); }} />
        <Choice name="Restore" keyName="r" locked={locked} draft={draft.text} onPress={() => { onChange({ type: "restore", index }); }} />
        <Choice name="Wrong…" keyName="w" locked={false} draft={draft.text} onPress={onRemark} />
      </div>
    </li>
  );
}

interface ChoiceProps {
  name: string;
  keyName: string;
  pressed?: boolean;
  locked: boolean;
  draft: string;
  onPress: () => void;
}

function Choice({ name, keyName, pressed, locked, draft, onPress }: ChoiceProps) {
  const titleOf = useTitle("report");
  return (
    <button type="button" data-key={keyName} aria-pressed={pressed} disabled={locked} title={titleOf(name, keyName)} onClick={onPress}>
      {name}<span className="unseen">{` “${draft}”`}</span>
    </button>
  );
}

/** Every key is kept as it is typed; Escape goes back to what was there before. */
function EditBox({ sentence, onChange, onDone }: { sentence: WorkSentence; onChange: Props["onChange"]; onDone: () => void }) {
  const [before] = useState(sentence);
  const box = useRef<HTMLTextAreaElement>(null);
  const { index } = sentence.draft;
  const fields = useTextFields();
  useEffect(() => {
    if (box.current === null) return undefined;
    const field = areaField(box.current);
    box.current.focus();
    fields.entered(field);
    return () => { fields.left(field); };
  }, [fields]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      event.preventDefault();
      onChange(asItWas(before));
      onDone();
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      onDone();
    }
  };
  return (
    <div className="edit-box">
      <label>
        <span className="unseen">Wording of the sentence</span>
        <textarea ref={box} rows={3} spellCheck defaultValue={sentence.text} onChange={(event) => { onChange({ type: "edit", index, text: event.target.value }); }} onKeyDown={onKeyDown} />
      </label>
      <p className="facts">
        <button type="button" onClick={onDone}>Done</button>
        {sentence.text.trim() === "" ? " Empty: counts as rejected." : " Ctrl+Enter: done. Escape: as before."}
      </p>
    </div>
  );
}

function asItWas({ draft, decision, text }: WorkSentence): Change {
  const { index } = draft;
  if (decision === "edited") return { type: "edit", index, text };
  const back = { accepted: "accept", rejected: "reject", pending: "restore" } as const;
  return { type: back[decision], index };
}

function remarkInWords(kind: Remark["kind"]): string {
  return REMARKS.find((one) => one.kind === kind)?.words ?? kind;
}
