import { useTitle } from "../keys/keys_context";
import { DictationButton } from "./dictation_button";
import { hasFlags, undecided, type Work } from "./work";

interface Props {
  work: Work;
  hasDraft: boolean;
  locked: boolean;
  canUndo: boolean;
  isDiffShown: boolean;
  /** Every image of the study was on this reader's screen. */
  allSeen: boolean;
  onAcceptAll: () => void;
  onUndo: () => void;
  onDiff: () => void;
  onTexts: () => void;
  onCritical: () => void;
}

/** What can be done with the whole report; each has its key. */
export function Tools({ work, hasDraft, locked, canUndo, isDiffShown, allSeen, onAcceptAll, onUndo, onDiff, onTexts, onCritical }: Props) {
  const hindered = acceptAllHindered(work, allSeen);
  const titleOf = useTitle("report");
  return (
    <div className="tools" role="toolbar" aria-label="Report">
      {hasDraft && (
        <>
          <button type="button" data-tool="" disabled={locked || hindered !== null} title={hindered ?? "Every sentence that is not decided"} onClick={onAcceptAll}>Accept all</button>
          <button type="button" data-key="u" disabled={locked || !canUndo} title={titleOf("Take back the last decision", "u")} onClick={onUndo}>Undo</button>
          <button type="button" data-key="d" aria-pressed={isDiffShown} title={titleOf("What differs from the draft", "d")} onClick={onDiff}>Changes</button>
        </>
      )}
      <button type="button" data-key="t" disabled={locked} title={`${titleOf("Templates and macros", "t")}; Ctrl+/ in the text`} onClick={onTexts}>Templates…</button>
      <button type="button" data-key="c" title={titleOf("Record who was told of a critical finding", "c")} onClick={onCritical}>Critical result…</button>
      <DictationButton locked={locked} />
      {hasDraft && hindered !== null && undecided(work).length > 0 && <p className="facts">{`Accept all: ${hindered}`}</p>}
    </div>
  );
}

/** Why not everything can be accepted at once, in words; null where it can. */
function acceptAllHindered(work: Work, allSeen: boolean): string | null {
  if (undecided(work).length === 0) return "nothing is left to decide";
  if (hasFlags(work)) return "not where a sentence is flagged; decide on each";
  return allSeen ? null : "not before every image was on the screen";
}
