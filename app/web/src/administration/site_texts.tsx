import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useServices } from "../app_context";
import { Dialog } from "../dialog";
import { wording } from "../report/saved_texts";
import { FRESH, written } from "../report/text_edit";
import { TextEditor, type Editing } from "../report/text_manager";
import { Section, type Done } from "./section";
import { Table } from "./table";

const HEADS = ["Shortcut", "Title", "Kind", "Words", "Default for", "Actions"];

/** The templates and macros that every reader of the site is offered. */
export function SiteTexts() {
  const { client } = useServices();
  const texts = useQuery({ queryKey: ["report-texts"], queryFn: () => client.texts() });
  const [editing, setEditing] = useState<Editing | null>(null);
  const [done, setDone] = useState<Done | null>(null);
  const site = texts.data?.filter(({ scope }) => scope === "site");
  const close = () => { setEditing(null); };
  const finish = () => {
    close();
    setDone({ words: "The site’s texts are changed for every reader; reports that a text was put into keep their words." });
  };
  return (
    <Section title="Site texts" about="Templates and macros that every reader is offered. A reader puts them in; the service never does. No patient data." done={done} focusOnDone fault={texts.error}>
      <p className="buttons"><button type="button" className="primary" onClick={() => { setEditing({ kept: null, start: { ...FRESH, scope: "site" } }); }}>New site text…</button></p>
      {site?.length === 0 && <p>The site has none yet.</p>}
      {site !== undefined && site.length > 0 && (
        <Table caption={`Templates and macros of the site: ${site.length}`} heads={HEADS}>
          {site.map((text) => (
            <tr key={text.id}>
              <th scope="row" className="code">{text.shortcut}</th>
              <td>{text.title}</td>
              <td>{text.kind}</td>
              <td className="prose words">{wording(text)}</td>
              <td>{text.procedure_description === "" ? "–" : text.procedure_description}</td>
              <td><button type="button" onClick={() => { setEditing({ kept: text, start: written(text) }); }}>Change…<span className="unseen">{` ${text.title}`}</span></button></td>
            </tr>
          ))}
        </Table>
      )}
      {editing !== null && (
        <Dialog title={editing.kept === null ? "New text of the site" : "Change a text of the site"} onClose={close}>
          <TextEditor {...editing} mayChooseSite={false} onDone={finish} onCancel={close} />
        </Dialog>
      )}
    </Section>
  );
}
