import type { SaveState } from "./autosave";
import type { Hold } from "./lock";
import { unfilled } from "./plain_doc";
import { isFlagged, undecided, written, type Work } from "./work";

interface Condition {
  work: Work;
  save: SaveState;
  hold: Hold;
  /** A current image is not on the screen and the reader has not said to have seen it elsewhere. */
  imageFault: boolean;
  /** Images or priors changed since the report was begun, and the reader has not gone over to them. */
  changed: boolean;
  /** A critical result that nobody was told of. */
  criticalOpen: boolean;
}

/** Why the report cannot be signed yet, in words; empty when it can. */
export function blockers({ work, save, hold, imageFault, changed, criticalOpen }: Condition): string[] {
  const open = undecided(work);
  const flagged = open.filter(isFlagged).length;
  const { findings, impression } = written(work);
  const fields = [...unfilled(work.own.findings), ...unfilled(work.own.impression)];
  const reasons: [boolean, string][] = [
    [flagged > 0, `${counted(flagged, "flagged sentence")} of the draft not decided`],
    [open.length > flagged, `${counted(open.length - flagged, flagged > 0 ? "other sentence" : "sentence")} of the draft not decided`],
    [findings === "" && impression === "", "Nothing is written yet"],
    [fields.length > 0, `Not filled in yet: ${fields.join(", ")}`],
    [criticalOpen, "A critical result was told to nobody yet"],
    [imageFault, "An image of this study is not shown"],
    [changed, "The study has changed: see the note above"],
    [hold.kind !== "mine", "You do not hold this study"],
    [save.kind === "conflict" || save.kind === "refused" || save.kind === "offline", "The text is not saved"],
  ];
  return reasons.filter(([holds]) => holds).map(([, reason]) => reason);
}

function counted(count: number, name: string): string {
  return `${count} ${name}${count === 1 ? "" : "s"}`;
}
