import { useState } from "react";
import { Dialog } from "../dialog";
import { PANE_ACTIONS } from "../viewer/pane_keys";
import { KEY_ACTS, PLACES, type Place } from "./catalogue";
import { ChangeKeys } from "./change_keys";
import { keyInWords, keyOf, type Changes } from "./key_map";
import { useKeys } from "./keys_context";

type Rows = readonly (readonly [string, string])[];

const ANYWHERE: Rows = [
  ["Ctrl+Enter", "start the report; later, sign it, or go to what still stands before that"],
  ["Escape", "close a dialog, or leave a sentence as it was"],
];
const WORKLIST: Rows = [
  ["Down, Up", "next or last study"],
  ["Page Down, Page Up, End, Home", "further down or up; last or first study"],
  ["Enter", "open the study"],
  ["Escape", "back to the list"],
];
const REPORT: Rows = [["Down, Up", "next or last sentence"]];
const OWN_WORDS: Rows = [
  ["shortcut, Tab", "put in the macro or template"],
  ["Tab, Shift+Tab", "next or last field […]"],
  ["Ctrl+/", "templates and macros"],
  ["Ctrl+Z, Ctrl+Y", "undo, redo"],
];
const POINTER: Rows = [
  ["drag", "window and level, or what the chosen tool does"],
  ["Shift+drag", "move"],
  ["right drag, wheel", "zoom"],
];
const IMAGE: Rows = PANE_ACTIONS.flatMap(({ id, keys, name }) => (id === undefined && name !== "" ? [[keys.map(keyInWords).join(" or "), name]] : []));

/** Every key of the page. Letters work only where the focus is in the part they belong to, and never while text is typed. */
export function KeyHelp({ onClose }: { onClose: () => void }) {
  const { changes } = useKeys();
  const [changing, setChanging] = useState(false);
  if (changing) return <ChangeKeys onBack={() => { setChanging(false); }} onClose={onClose} />;
  return (
    <Dialog title="Keys" onClose={onClose}>
      <p className="buttons">
        <button type="button" onClick={() => { setChanging(true); }}>Change keys…</button>
      </p>
      <Keys heading="Anywhere" keys={ANYWHERE} />
      <Keys heading={PLACES.list} keys={[...acts("list", changes), ...WORKLIST]} />
      <Keys heading={PLACES.study} keys={acts("study", changes)} />
      <Keys heading={PLACES.report} keys={[...acts("report", changes), ...REPORT]} />
      <Keys heading="In your own words" keys={OWN_WORDS} />
      <Keys heading={PLACES.image} keys={[...acts("image", changes), ...IMAGE]} />
      <Keys heading="Pointer on an image" keys={POINTER} />
      <p className="buttons">
        <button type="button" onClick={onClose}>Close</button>
      </p>
    </Dialog>
  );
}

function acts(place: Place, changes: Changes): Rows {
  return KEY_ACTS.filter((act) => act.place === place).map((act) => [keyInWords(keyOf(act, changes)), act.name]);
}

function Keys({ heading, keys }: { heading: string; keys: Rows }) {
  return (
    <section className="keys">
      <h3>{heading}</h3>
      <dl>{keys.map(([key, does]) => <div key={does}><dt><kbd>{key}</kbd></dt><dd>{does}</dd></div>)}</dl>
    </section>
  );
}
