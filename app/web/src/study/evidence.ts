import type { Draft, DraftSentence } from "../api/types";
import type { Region } from "../viewer/regions";

/** Said wherever a region is drawn. */
export const ATTRIBUTION = "Model attribution, not a finding's outline; not for diagnosis.";

/**
 * Which regions may be drawn and which stands out. draft: the one whose sentences stand on the page; null where there is
 * none or it is withheld, and then nothing is drawn. Sentences are named by their numbers.
 */
export interface EvidenceState {
  draft: Draft | null;
  /** The reader asked for regions. */
  on: boolean;
  hovered: number | null;
  focused: number | null;
  /** The sentence whose region is to get the focus; a new object for each wish. */
  wanted: { number: number } | null;
}

export type EvidenceAct =
  | { kind: "show"; draft: Draft | null }
  | { kind: "toggle" }
  | { kind: "hover" | "focus"; number: number; is: boolean }
  | { kind: "reach"; number: number }
  | { kind: "reached" };

export const NO_EVIDENCE: EvidenceState = { draft: null, on: false, hovered: null, focused: null, wanted: null };

export function evidenceAfter(now: EvidenceState, act: EvidenceAct): EvidenceState {
  switch (act.kind) {
    case "show":
      return { ...now, draft: act.draft };
    case "toggle":
      return now.draft === null ? now : { ...NO_EVIDENCE, draft: now.draft, on: !now.on };
    case "hover":
      return { ...now, hovered: held(now.hovered, act) };
    case "focus":
      return { ...now, focused: held(now.focused, act) };
    case "reach":
      return { ...now, wanted: { number: act.number } };
    case "reached":
      return { ...now, wanted: null };
  }
}

/** What another has taken meanwhile is not given up: which of two parts hears first that the pointer went on is not settled. */
function held(now: number | null, { number, is }: { number: number; is: boolean }): number | null {
  if (is) return number;
  return now === number ? null : now;
}

/** As the reader counts the sentences. */
export function numberOf({ index }: Pick<DraftSentence, "index">): number {
  return index + 1;
}

/** The sentence's region as the draft has it by now: regions come after the sentences. */
export function regionOf(draft: Draft, number: number): DraftSentence["region"] {
  return draft.sentences.find((sentence) => numberOf(sentence) === number)?.region ?? null;
}

/** The regions of the draft that lie on this image. */
export function regionsOn(draft: Draft, sopInstanceUid: string): Region[] {
  return draft.sentences.flatMap((sentence) => {
    const { region, text } = sentence;
    if (region === null || region.sop_instance_uid !== sopInstanceUid) return [];
    const { left, top, right, bottom } = region;
    const number = numberOf(sentence);
    return [{ number, label: `Region of sentence ${number}, “${text}”: go to the sentence`, left, top, right, bottom }];
  });
}

/** What the boxes over this image are, and where there are none, why. */
export function regionWords(draft: Draft, sopInstanceUid: string): string {
  if (regionsOn(draft, sopInstanceUid).length > 0) return ATTRIBUTION;
  return `${whyNone(draft)} ${ATTRIBUTION}`;
}

function whyNone({ evidence, sentences }: Draft): string {
  if (evidence === null) return "No regions yet: they are looked for after the draft and appear by themselves; a model behind vLLM gives none.";
  if (sentences.every(({ region }) => region === null)) return `No regions: they were looked for (${evidence}), and no sentence hangs on one part of the film.`;
  return "No regions on this image: those of the draft are on another image of the study.";
}
