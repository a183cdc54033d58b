import { Dialog } from "../dialog";
import { PANE_ACTIONS } from "../viewer/pane_keys";

const ANYWHERE: readonly [string, string][] = [
  ["Ctrl+Enter", "start the report; later, sign it"],
  ["Escape", "close a dialog, or leave a sentence as it was"],
];
const WORKLIST: readonly [string, string][] = [["Up, Down", "next or last study"], ["Enter", "open the study"]];
const SENTENCES: readonly [string, string][] = [
  ["A", "accept, and go on to the next undecided"],
  ["X", "reject, and go on to the next undecided"],
  ["E", "edit"],
  ["U", "restore the draft's wording, undecided"],
  ["J, K", "next or last sentence"],
  ["F", "next open flag"],
];
const POINTER: readonly [string, string][] = [
  ["drag", "window and level, or what the chosen tool does"],
  ["Shift+drag", "move"],
  ["right drag, wheel", "zoom"],
];

/** Every key of the page. Letters work only where the focus is on an image or on a sentence's buttons. */
export function KeyHelp({ onClose }: { onClose: () => void }) {
  const image = PANE_ACTIONS.map(({ keys, name }): [string, string] => [keys.map(keyInWords).join(" or "), name]);
  return (
    <Dialog title="Keys" onClose={onClose}>
      <Keys heading="Anywhere" keys={ANYWHERE} />
      <Keys heading="In the worklist" keys={WORKLIST} />
      <Keys heading="On a sentence of the draft" keys={SENTENCES} />
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
