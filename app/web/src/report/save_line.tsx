import { timeInWords } from "../words/dates";
import type { SaveState } from "./autosave";

export function SaveLine({ save }: { save: SaveState }) {
  const bad = save.kind === "offline" || save.kind === "conflict" || save.kind === "refused";
  return <span className={bad ? "save save-bad" : "save"} role="status">{saveInWords(save)}</span>;
}

export function saveInWords(save: SaveState): string {
  switch (save.kind) {
    case "saved":
      return save.at === null ? "Saved" : `Saved ${timeInWords(new Date(save.at))}`;
    case "waiting":
      return "Not saved yet…";
    case "saving":
      return "Saving…";
    case "offline":
      return "Not saved: the service cannot be reached. Trying again; keep this page open.";
    case "conflict":
      return "Not saved: the report was changed elsewhere.";
    case "refused":
      return `Not saved: ${save.problem.message} Your text is kept in this page.`;
  }
}
