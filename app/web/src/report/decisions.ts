import { changed, type Change, type Work, type WorkSentence } from "./work";

/** The work, and what its sentences were before each decision, newest last. */
export interface Decided {
  work: Work;
  past: readonly WorkSentence[];
}

export type Act = Change | { type: "undo" };

const LONGEST = 200;

/** The work after one act. Undo takes back the last decision on a sentence, and leaves all other text alone. */
export function acted({ work, past }: Decided, act: Act): Decided {
  if (act.type === "undo") {
    const before = past.at(-1);
    return before === undefined ? { work, past } : { work: changed(work, { type: "put back", sentence: before }), past: past.slice(0, -1) };
  }
  const after = changed(work, act);
  if (act.type === "replace") return { work: after, past: [] };
  const touched = work.sentences.filter((before, at) => before !== after.sentences[at]);
  const typedOn = act.type === "edit" && touched.every(({ draft, decision }) => decision === "edited" && past.at(-1)?.draft.index === draft.index);
  return { work: after, past: typedOn ? past : [...past, ...touched].slice(-LONGEST) };
}
