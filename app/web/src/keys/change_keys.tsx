import { useMutation } from "@tanstack/react-query";
import { useState, type KeyboardEvent } from "react";
import { useServices } from "../app_context";
import { Dialog } from "../dialog";
import { KEY_ACTS, PLACES, type KeyAct } from "./catalogue";
import { clash, isFree, keyInWords, keyOf, plain, withKey, type Changes } from "./key_map";
import { useKeys } from "./keys_context";

const MODIFIERS = new Set(["Shift", "Control", "Alt", "Meta", "AltGraph", "CapsLock", "Dead"]);

/** What became of a wish, told beside its act; of all acts at once where there is none. */
interface Refused {
  act: KeyAct | null;
  words: string;
}

/** Another key for an act, or none, kept by the service for this reader at every workstation. */
export function ChangeKeys({ onBack, onClose }: { onBack: () => void; onClose: () => void }) {
  const { client } = useServices();
  const { changes, onChanges } = useKeys();
  const [asked, setAsked] = useState<KeyAct | null>(null);
  const [refused, setRefused] = useState<Refused | null>(null);
  const keep = useMutation({
    mutationFn: ({ wanted }: { wanted: Changes; act: KeyAct | null }) => client.keepKeys(wanted),
    onSuccess: ({ keys }) => { onChanges(keys); },
    onError: (error, { act }) => { setRefused({ act, words: `Not kept. ${error.message}` }); },
  });
  const isBack = Object.keys(changes).length === 0;
  const ask = (act: KeyAct | null) => {
    setRefused(null);
    setAsked(act);
  };
  const put = (act: KeyAct, key: string) => {
    const other = key === "" ? undefined : clash(key, act, changes);
    ask(null);
    if (other === undefined) keep.mutate({ wanted: withKey(changes, act, key), act });
    else setRefused({ act, words: `${keyInWords(key)} is taken: ${other.name}. Give that another key first.` });
  };
  const press = (act: KeyAct, event: KeyboardEvent) => {
    if (event.key === "Tab" || MODIFIERS.has(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    const key = plain(event.key);
    if (key === "Escape") ask(null);
    else if (event.ctrlKey || event.altKey || event.metaKey || !isFree(key)) setRefused({ act, words: `${keyInWords(key)} cannot be used: press a letter, digit, sign or function key without Ctrl or Alt. Escape leaves it as it was.` });
    else put(act, key);
  };
  const row = (act: KeyAct) => (
    <Row
      key={act.id}
      act={act}
      current={keyOf(act, changes)}
      isAsked={asked === act}
      refused={refused?.act === act ? refused.words : ""}
      isBusy={keep.isPending}
      onAsk={() => { ask(act); }}
      onPress={(event) => { press(act, event); }}
      onLeave={() => { setAsked(null); }}
      onPut={(key) => { put(act, key); }}
    />
  );
  return (
    <Dialog title="Change keys" onClose={onClose}>
      <p>Choose a key, then press the one you want instead. Letters work only where you are not typing. Your keys are with you at every workstation.</p>
      <p className="buttons">
        <button type="button" onClick={onBack}>Back to all keys</button>
        <button type="button" aria-disabled={keep.isPending || isBack} onClick={() => { if (!keep.isPending && !isBack) { ask(null); keep.mutate({ wanted: {}, act: null }); } }}>All as they were</button>
      </p>
      {refused?.act === null && <p className="problem" role="alert">{refused.words}</p>}
      {Object.entries(PLACES).map(([place, heading]) => (
        <section key={place} className="keys">
          <h3>{heading}</h3>
          <ul>{KEY_ACTS.filter((act) => act.place === place).map(row)}</ul>
        </section>
      ))}
      <p className="buttons"><button type="button" onClick={onClose}>Close</button></p>
    </Dialog>
  );
}

interface RowProps {
  act: KeyAct;
  current: string;
  isAsked: boolean;
  refused: string;
  isBusy: boolean;
  onAsk: () => void;
  onPress: (event: KeyboardEvent) => void;
  onLeave: () => void;
  onPut: (key: string) => void;
}

/** The act's key, to be changed; and the way to none, or back to the page's own: one button, so that the focus stays on it. */
function Row({ act, current, isAsked, refused, isBusy, onAsk, onPress, onLeave, onPut }: RowProps) {
  const other = current === act.key ? "" : act.key;
  const words = other === "" ? "No key" : `Back to ${keyInWords(act.key)}`;
  return (
    <li>
      <button
        type="button"
        className="key"
        aria-label={isAsked ? `Press the new key for: ${act.name}` : `${act.name}: ${keyInWords(current)}`}
        aria-disabled={isBusy}
        onClick={() => { if (!isBusy) onAsk(); }}
        onKeyDown={(event) => { if (isAsked) onPress(event); }}
        onBlur={onLeave}
      >
        {isAsked ? "press it" : <kbd>{keyInWords(current)}</kbd>}
      </button>
      <span>{act.name}</span>
      <button type="button" aria-label={`${words}: ${act.name}`} aria-disabled={isBusy} onClick={() => { if (!isBusy) onPut(other); }}>{words}</button>
      {refused !== "" && <p className="problem" role="alert">{refused}</p>}
    </li>
  );
}
