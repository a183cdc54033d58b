import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Problem } from "../api/http";
import type { SavedText, WriteText } from "../api/types";
import { useServices } from "../app_context";
import { Dialog } from "../dialog";
import { copyOf, FRESH, written } from "./text_edit";
import { TextForm } from "./text_form";

const TEXTS = ["report-texts"];

/** What is being written: a new text, or one that is kept already. */
export interface Editing {
  kept: SavedText | null;
  start: WriteText;
}

/** A reader's own templates and macros, and the site's, which administrators change. */
export function TextManager({ onClose }: { onClose: () => void }) {
  const { client, reader } = useServices();
  const texts = useQuery({ queryKey: TEXTS, queryFn: () => client.texts() });
  const [editing, setEditing] = useState<Editing | null>(null);
  const isAdmin = reader.roles.includes("admin");
  const toList = () => { setEditing(null); };

  return (
    <Dialog title="My templates and macros" onClose={onClose}>
      {editing !== null && <TextEditor key={editing.kept?.id ?? "new"} {...editing} mayChooseSite={isAdmin} onDone={toList} onCancel={toList} />}
      {editing === null && (
        <>
          {texts.isError && <p className="problem" role="alert">{texts.error.message}</p>}
          <ul className="texts" aria-label="Templates and macros">
            {texts.data?.map((text) => (
              <li key={text.id}>
                <span><strong>{text.shortcut}</strong>{` ${text.title}`}<span className="quiet">{` · ${text.kind}, ${text.scope === "site" ? "of the site" : "yours"}`}</span></span>
                {text.scope === "personal" || isAdmin
                  ? <button type="button" onClick={() => { setEditing({ kept: text, start: written(text) }); }}>Change<span className="unseen">{` ${text.title}`}</span></button>
                  : <button type="button" onClick={() => { setEditing({ kept: null, start: copyOf(text) }); }}>Copy to mine<span className="unseen">{` ${text.title}`}</span></button>}
              </li>
            ))}
          </ul>
          {texts.data?.length === 0 && <p className="quiet">There are none yet.</p>}
          <p className="buttons">
            <button type="button" className="primary" onClick={() => { setEditing({ kept: null, start: FRESH }); }}>New…</button>
            <button type="button" onClick={onClose}>Close</button>
          </p>
        </>
      )}
    </Dialog>
  );
}

interface EditorProps extends Editing {
  mayChooseSite: boolean;
  onDone: () => void;
  onCancel: () => void;
}

/** One text while it is written, until it is kept or removed. */
export function TextEditor({ kept, start, mayChooseSite, onDone, onCancel }: EditorProps) {
  const { client } = useServices();
  const queries = useQueryClient();
  const ended = { onSuccess: onDone, onSettled: () => queries.invalidateQueries({ queryKey: TEXTS }) };
  const save = useMutation({ mutationFn: (text: WriteText) => (kept === null ? client.addText(text) : client.changeText(kept, text)), ...ended });
  const remove = useMutation({ mutationFn: (text: SavedText) => client.removeText(text), ...ended });
  const [isAsked, setAsked] = useState(false);
  const fault = save.error ?? remove.error;
  return (
    <>
      <TextForm
        start={start}
        isNew={kept === null}
        mayChooseSite={mayChooseSite}
        busy={save.isPending || remove.isPending}
        fault={fault === null ? null : faultInWords(fault)}
        onSave={(text) => { save.mutate(text); }}
        onRemove={kept === null ? null : () => { setAsked(true); }}
        onCancel={onCancel}
      />
      {kept !== null && isAsked && <RemoveDialog text={kept} onClose={() => { setAsked(false); }} onRemove={() => { setAsked(false); remove.mutate(kept); }} />}
    </>
  );
}

function RemoveDialog({ text, onClose, onRemove }: { text: SavedText; onClose: () => void; onRemove: () => void }) {
  return (
    <Dialog title={`Delete “${text.title}”`} onClose={onClose}>
      <p>{text.scope === "site" ? "No reader of the site is offered it any more." : "You are not offered it any more."} Reports that it was put into keep their words. This cannot be taken back.</p>
      <p className="buttons">
        <button type="button" className="primary" onClick={onRemove}>Delete for good</button>
        <button type="button" onClick={onClose}>Cancel</button>
      </p>
    </Dialog>
  );
}

function faultInWords(fault: Error): string {
  if (fault instanceof Problem && fault.status === 412) return "This text was changed or removed elsewhere meanwhile. Nothing was overwritten: cancel, and open it again.";
  return fault.message;
}
