import type { DictationSource, Listening } from "./dictation";

/** As in the Web Speech API, of which TypeScript's library has no types. */
interface Recognition extends EventTarget {
  continuous: boolean;
  interimResults: boolean;
  lang: string;
  processLocally: boolean;
  start: () => void;
  abort: () => void;
}
interface ResultEvent extends Event {
  resultIndex: number;
  results: ArrayLike<ArrayLike<{ transcript: string }> & { isFinal: boolean }>;
}

const FAULTS: Readonly<Record<string, string>> = {
  "not-allowed": "The microphone may not be used here: the browser or the service does not allow it.",
  "service-not-allowed": "This browser does not recognise speech on this computer.",
  "language-not-supported": "This browser has no speech recognition for this language on this computer.",
  "audio-capture": "No microphone was found.",
  network: "Speech recognition cannot be reached.",
};

/**
 * The browser's own recognition, on this computer only: a browser that would send the sound of a patient's name to
 * its maker is not asked. Null where there is none.
 */
export function browserSpeech(lang: string): DictationSource | null {
  const Made = (window as { SpeechRecognition?: new () => Recognition }).SpeechRecognition;
  if (Made === undefined || !("processLocally" in Made.prototype) || !mayListen()) return null;
  let running: Recognition | null = null;
  return {
    start: ({ onText, onState }) => {
      const recognition = new Made();
      Object.assign(recognition, { continuous: true, interimResults: false, lang, processLocally: true });
      let state: Listening = { kind: "off" };
      recognition.addEventListener("start", () => { onState({ kind: "listening" }); });
      recognition.addEventListener("result", (event) => { for (const text of finished(event as ResultEvent)) onText(text); });
      recognition.addEventListener("error", (event) => { state = fault((event as Event & { error: string }).error); });
      recognition.addEventListener("end", () => { onState(state); });
      running = recognition;
      recognition.start();
    },
    stop: () => { running?.abort(); },
  };
}

/** Whether the service lets its page use the microphone at all (Permissions-Policy). A browser that cannot say so asks later. */
function mayListen(): boolean {
  return (document as { featurePolicy?: { allowsFeature: (name: string) => boolean } }).featurePolicy?.allowsFeature("microphone") ?? true;
}

function finished({ results, resultIndex }: ResultEvent): string[] {
  return Array.from(results)
    .slice(resultIndex)
    .flatMap((result) => (result.isFinal ? [result[0]?.transcript ?? ""] : []));
}

function fault(error: string): Listening {
  if (error === "no-speech" || error === "aborted") return { kind: "off" };
  return { kind: "failed", why: FAULTS[error] ?? `Speech recognition stopped (${error}).` };
}
