import { useState, type KeyboardEvent } from "react";
import type { SavedText, Study } from "../api/types";
import { Dialog } from "../dialog";
import { Field } from "../field";
import { defaultFor, matching, wording } from "./saved_texts";

interface Props {
  study: Study;
  texts: readonly SavedText[];
  onInsert: (text: SavedText) => void;
  onManage: () => void;
  onClose: () => void;
}

/** Templates and macros to choose from: type to find, arrows to choose, Enter puts it in. */
export function TextPicker({ study, texts, onInsert, onManage, onClose }: Props) {
  const [sought, setSought] = useState("");
  const [at, setAt] = useState(0);
  const first = defaultFor(texts, study);
  const found = matching(first === null ? texts : [first, ...texts.filter((text) => text !== first)], sought);
  const chosen = found[Math.min(at, found.length - 1)];
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) setAt(Math.max(0, Math.min(found.length - 1, at + step)));
    else if (event.key === "Enter" && chosen !== undefined) onInsert(chosen);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title="Templates and macros" onClose={onClose}>
      <Field
        label="Find by shortcut, title or words"
        type="search"
        role="combobox"
        aria-expanded={found.length > 0}
        aria-controls="texts-found"
        aria-activedescendant={chosen && `text-${chosen.id}`}
        value={sought}
        onChange={(event) => {
          setSought(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div id="texts-found" className="texts" role="listbox" aria-label="Found">
        {found.map((text) => (
          // The keys are those of the search field, which keeps the focus.
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events
          <div key={text.id} id={`text-${text.id}`} role="option" tabIndex={-1} aria-selected={text === chosen} onClick={() => { onInsert(text); }}>
            <strong>{text.shortcut}</strong>
            {` ${text.title}`}
            <span className="quiet">{` · ${text.kind}, ${text.scope === "site" ? "of the site" : "yours"}${text === first ? ", default for this procedure" : ""}`}</span>
          </div>
        ))}
      </div>
      {found.length === 0 && <p className="quiet">No text of this kind.</p>}
      {chosen !== undefined && <p className="preview prose" role="status">{wording(chosen)}</p>}
      <p className="facts">Enter puts the chosen one in: a template into both sections, a macro where the cursor is. In the text, type a shortcut and press Tab.</p>
      <p className="buttons">
        <button type="button" className="primary" disabled={chosen === undefined} onClick={() => { if (chosen !== undefined) onInsert(chosen); }}>Insert</button>
        <button type="button" onClick={onManage}>Manage…</button>
        <button type="button" onClick={onClose}>Cancel</button>
      </p>
    </Dialog>
  );
}
