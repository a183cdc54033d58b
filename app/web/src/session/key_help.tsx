import { Dialog } from "../dialog";
import { PANE_ACTIONS } from "../viewer/pane_keys";

const ANYWHERE: readonly [string, string][] = [
  ["Ctrl+Enter", "start the report; later, sign it"],
  ["Escape", "close a dialog, or leave a sentence as it was"],
];
const STUDY: readonly [string, string][] = [
  ["N", "next study of the list, as it was sorted and filtered"],
  ["B", "evidence regions of the draft's sentences, on or off"],
];
const WORKLIST: readonly [string, string][] = [
  ["J, K or Down, Up", "next or last study"],
  ["Page Down, Page Up, End, Home", "further down or up; last or first study"],
  ["Enter", "open the study"],
  ["/", "search"],
  ["F", "filters"],
  ["Escape", "back to the list"],
];
const SENTENCES: readonly [string, string][] = [
  ["A", "accept, and go on to the next undecided"],
  ["X", "reject, and go on to the next undecided"],
  ["E", "edit"],
  ["R", "restore the draft's wording, undecided"],
  ["W", "say what is wrong with it"],
  ["G", "go to its evidence region; there Enter goes back"],
  ["Down, Up", "next or last sentence"],
];
const REPORT: readonly [string, string][] = [
  ["J, K", "next or last sentence"],
  ["F", "next open flag"],
  ["U", "undo the last decision"],
  ["D", "changes against the draft"],
  ["T", "templates and macros"],
  ["C", "critical result"],
];
const OWN_WORDS: readonly [string, string][] = [
  ["shortcut, Tab", "put in the macro or template"],
  ["Tab, Shift+Tab", "next or last field […]"],
  ["Ctrl+/", "templates and macros"],
  ["Ctrl+Z, Ctrl+Y", "undo, redo"],
];
const POINTER: readonly [string, string][] = [
  ["drag", "window and level, or what the chosen tool does"],
  ["Shift+drag", "move"],
  ["right drag, wheel", "zoom"],
];

/** Every key of the page. Letters work only where the focus is in the part they belong to, and never while text is typed. */
export function KeyHelp({ onClose }: { onClose: () => void }) {
  const image = PANE_ACTIONS.map(({ keys, name }): [string, string] => [keys.map(keyInWords).join(" or "), name]);
  return (
    <Dialog title="Keys" onClose={onClose}>
      <Keys heading="Anywhere" keys={ANYWHERE} />
      <Keys heading="In the worklist" keys={WORKLIST} />
      <Keys heading="In a study, outside of text" keys={STUDY} />
      <Keys heading="In the report, outside of text" keys={REPORT} />
      <Keys heading="On a sentence of the draft" keys={SENTENCES} />
      <Keys heading="In your own words" keys={OWN_WORDS} />
      <Keys heading="On an image" keys={image} />
      <Keys heading="Pointer on an image" keys={POINTER} />
      <p className="buttons"><button type="button" onClick={onClose}>Close</button></p>
    </Dialog>
  );
}

function keyInWords(key: string): string {
  return key.length === 1 ? key.toUpperCase() : key.replace("Arrow", "");
}

function Keys({ heading, keys }: { heading: string; keys: readonly [string, string][] }) {
  return (
    <section className="keys">
      <h3>{heading}</h3>
      <dl>{keys.map(([key, does]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{does}</dd></div>)}</dl>
    </section>
  );
}
