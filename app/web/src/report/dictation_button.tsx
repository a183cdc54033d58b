import { useEffect, useState, useSyncExternalStore } from "react";
import { browserSpeech } from "./browser_speech";
import { Dictation, type DictationSource } from "./dictation";
import { useTextFields } from "./text_fields";

/** Turns the microphone on and off; says which in words. Absent where nothing can listen. */
export function DictationButton({ locked, source = browserSpeech }: { locked: boolean; source?: (lang: string) => DictationSource | null }) {
  const fields = useTextFields();
  const [dictation] = useState(() => {
    const found = source(navigator.language);
    return found === null ? null : new Dictation(found, (text) => { fields.speak(text); });
  });
  useEffect(() => () => { dictation?.stop(); }, [dictation]);
  return dictation === null ? null : <Microphone dictation={dictation} locked={locked} />;
}

function Microphone({ dictation, locked }: { dictation: Dictation; locked: boolean }) {
  const state = useSyncExternalStore(dictation.subscribe, dictation.snapshot);
  useEffect(() => { if (locked) dictation.stop(); }, [dictation, locked]);
  const isOn = state.kind === "starting" || state.kind === "listening";
  return (
    <>
      <button
        type="button"
        className={isOn ? "microphone-on" : ""}
        aria-pressed={isOn}
        disabled={locked}
        // Pressing it leaves the cursor in the text.
        onMouseDown={(event) => { event.preventDefault(); }}
        onClick={() => { dictation.toggle(); }}
      >
        {isOn ? "● Stop dictating" : "Dictate"}
      </button>
      <span role="status" className={state.kind === "failed" ? "microphone-fault" : "microphone"}>
        {state.kind === "listening" && "Microphone on: what is said is written at the cursor"}
        {state.kind === "starting" && "Microphone starting…"}
        {state.kind === "failed" && state.why}
      </span>
    </>
  );
}
