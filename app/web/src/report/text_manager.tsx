import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Problem } from "../api/http";
import type { SavedText, WriteText } from "../api/types";
import { useServices } from "../app_context";
import { Dialog } from "../dialog";
import { copyOf, FRESH, written } from "./text_edit";
import { TextForm } from "./text_form";

/** What is being written: a new text, or one that is kept already. */
interface Editing {
  kept: SavedText | null;
  start: WriteText;
}

/** A reader's own templates and macros, and the site's, which administrators change. */
export function TextManager({ onClose }: { onClose: () => void }) {
  const { client, reader } = useServices();
  const queries = useQueryClient();
  const texts = useQuery({ queryKey: ["report-texts"], queryFn: () => client.texts() });
  const [editing, setEditing] = useState<Editing | null>(null);
  const isAdmin = reader.roles.includes("admin");
  const again = () => queries.invalidateQueries({ queryKey: ["report-texts"] });
  const save = useMutation({
    mutationFn: ({ kept, text }: { kept: SavedText | null; text: WriteText }) => (kept === null ? client.addText(text) : client.changeText(kept, text)),
    onSuccess: () => { setEditing(null); },
    onSettled: again,
  });
  const remove = useMutation({ mutationFn: (text: SavedText) => client.removeText(text), onSuccess: () => { setEditing(null); }, onSettled: again });
  const edit = (next: Editing | null) => {
    save.reset();
    remove.reset();
    setEditing(next);
  };
  const fault = save.error ?? remove.error;

  return (
    <Dialog title="My templates and macros" onClose={onClose}>
      {editing !== null && (
        <TextForm
          key={editing.kept?.id ?? "new"}
          start={editing.start}
          isNew={editing.kept === null}
          mayChooseSite={isAdmin}
          busy={save.isPending || remove.isPending}
          fault={fault === null ? null : faultInWords(fault)}
          onSave={(text) => { save.mutate({ kept: editing.kept, text }); }}
          onRemove={editing.kept === null ? null : () => { if (editing.kept !== null) remove.mutate(editing.kept); }}
          onCancel={() => { edit(null); }}
        />
      )}
      {editing === null && (
        <>
          {texts.isError && <p className="problem" role="alert">{texts.error.message}</p>}
          <ul className="texts" aria-label="Templates and macros">
            {texts.data?.map((text) => (
              <li key={text.id}>
                <span><strong>{text.shortcut}</strong>{` ${text.title}`}<span className="quiet">{` · ${text.kind}, ${text.scope === "site" ? "of the site" : "yours"}`}</span></span>
                {text.scope === "personal" || isAdmin
                  ? <button type="button" onClick={() => { edit({ kept: text, start: written(text) }); }}>Change<span className="unseen">{` ${text.title}`}</span></button>
                  : <button type="button" onClick={() => { edit({ kept: null, start: copyOf(text) }); }}>Copy to mine<span className="unseen">{` ${text.title}`}</span></button>}
              </li>
            ))}
          </ul>
          {texts.data?.length === 0 && <p className="quiet">There are none yet.</p>}
          <p className="buttons">
            <button type="button" className="primary" onClick={() => { edit({ kept: null, start: FRESH }); }}>New…</button>
            <button type="button" onClick={onClose}>Close</button>
          </p>
        </>
      )}
    </Dialog>
  );
}

function faultInWords(fault: Error): string {
  if (fault instanceof Problem && fault.status === 412) return "This text was changed or removed elsewhere meanwhile. Nothing was overwritten: cancel, and open it again.";
  return fault.message;
}
