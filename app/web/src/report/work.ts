import type { Decision, Draft, DraftSentence, Report, ReportText, Section } from "../api/types";
import { collapse, holds, reworded, writable } from "./wording";

/** One sentence of the draft and what the reader made of it. text: the reader's wording while `edited`. */
export interface WorkSentence {
  draft: DraftSentence;
  decision: Exclude<Decision, "added">;
  text: string;
}

/**
 * The report as it is being made: each draft sentence with its decision, and the reader's own words per section.
 *
 * `whole`: sections whose saved text is not put together from the decisions: another client wrote it, or it was kept
 * from an earlier draft. There `own` is the whole text, and each decision changes that sentence in it and nothing else.
 */
export interface Work {
  sentences: readonly WorkSentence[];
  own: Readonly<Record<Section, string>>;
  whole: Readonly<Record<Section, boolean>>;
}

export type Change =
  | { type: "accept"; index: number }
  | { type: "edit"; index: number; text: string }
  | { type: "reject"; index: number }
  | { type: "restore"; index: number }
  | { type: "accept all" }
  | { type: "put back"; sentence: WorkSentence }
  | { type: "own"; section: Section; text: string }
  | { type: "replace"; work: Work };

export const SECTIONS: readonly Section[] = ["findings", "impression"];

/** Pure: the work after one change. An unknown index changes nothing. */
export function changed(work: Work, change: Change): Work {
  switch (change.type) {
    case "accept":
      return decided(work, change.index, "accepted");
    case "reject":
      return decided(work, change.index, "rejected");
    case "restore":
      return decided(work, change.index, "pending");
    case "accept all":
      return hasFlags(work) ? work : undecided(work).reduce((all, { draft }) => decided(all, draft.index, "accepted"), work);
    case "put back":
      return withSentence(work, change.sentence.draft.index, () => change.sentence);
    case "edit":
      return edited(work, change.index, writable(change.text));
    case "own":
      return withOwn(work, change.section, writable(change.text));
    case "replace":
      return change.work;
  }
}

/** What is saved and, once signed, sent: no sentence that the reader has not decided on is in the text. */
export function written(work: Work): ReportText {
  return {
    findings: sectionText(work, "findings"),
    impression: sectionText(work, "impression"),
    sentences: [...work.sentences.map(decision), ...ownSentences(work)],
  };
}

/** The work that a saved report describes; `draft` is the draft it was started from, or null for one from nothing. */
export function workOf(report: ReportText, draft: Draft | null): Work {
  const saved = new Map(report.sentences.map((sentence) => [sentence.index, sentence]));
  const sentences = (draft?.sentences ?? []).map((sentence) => restored(sentence, saved.get(sentence.index)));
  const next = firstOwnIndex(sentences);
  const own = { findings: saved.get(next)?.text ?? "", impression: saved.get(next + 1)?.text ?? "" };
  const work: Work = { sentences, own, whole: { findings: false, impression: false } };
  return SECTIONS.reduce((all, section) => asWhole(all, section, report[section]), work);
}

/** Sentences the reader has not decided on; none may be left when the report is signed. */
export function undecided(work: Work): WorkSentence[] {
  return work.sentences.filter(({ decision }) => decision === "pending");
}

export function isFlagged({ draft, decision }: WorkSentence): boolean {
  return draft.flags.length > 0 && decision === "pending";
}

/** Whether any sentence of the draft is flagged, decided on or not: then each is decided by itself. */
export function hasFlags(work: Work): boolean {
  return work.sentences.some(({ draft }) => draft.flags.length > 0);
}

/** The draft's words of a section, as one text. */
export function draftText(work: Work, section: Section): string {
  return work.sentences.filter(({ draft }) => draft.section === section).map(({ draft }) => draft.text).join(" ");
}

function decided(work: Work, index: number, decision: "accepted" | "rejected" | "pending"): Work {
  return withSentence(work, index, (sentence) => ({ ...sentence, decision, text: sentence.draft.text }));
}

function edited(work: Work, index: number, text: string): Work {
  return withSentence(work, index, (sentence) => ({ ...sentence, decision: text === sentence.draft.text ? "accepted" : "edited", text }));
}

function withSentence(work: Work, index: number, change: (sentence: WorkSentence) => WorkSentence): Work {
  const before = work.sentences.find(({ draft }) => draft.index === index);
  if (before === undefined) return work;
  const after = change(before);
  const next = { ...work, sentences: work.sentences.map((sentence) => (sentence === before ? after : sentence)) };
  const { section } = before.draft;
  return work.whole[section] ? withOwn(next, section, inWhole(work.own[section], before, after)) : next;
}

function withOwn(work: Work, section: Section, text: string): Work {
  return { ...work, own: { ...work.own, [section]: text } };
}

/** A whole text after one decision: a kept sentence is in it, a rejected one is not, an undecided one is as it was. */
function inWhole(text: string, before: WorkSentence, after: WorkSentence): string {
  const [was, is] = [keptText(before), keptText(after)];
  if (is !== "") return was === "" && holds(text, is) ? text : reworded(text, was, is);
  return reworded(text, after.decision === "rejected" && was === "" ? before.draft.text : was, "");
}

function sectionText(work: Work, section: Section): string {
  if (work.whole[section]) return work.own[section].trim();
  const kept = work.sentences.filter(({ draft }) => draft.section === section).map(keptText).filter((text) => text !== "");
  return [kept.join(" "), work.own[section].trim()].filter((part) => part !== "").join("\n");
}

function keptText({ decision, text }: WorkSentence): string {
  return decision === "accepted" || decision === "edited" ? text.trim() : "";
}

/** An edit that leaves nothing is a rejection: the record may not say that an empty sentence was kept. */
function decision({ draft, decision: made, text }: WorkSentence): ReportText["sentences"][number] {
  if (made === "edited" && text.trim() === "") return { index: draft.index, decision: "rejected", text: draft.text };
  return { index: draft.index, decision: made, text: made === "edited" ? text : draft.text };
}

/** The reader's own words are numbered after the draft's: findings first, impression next. */
function ownSentences(work: Work): ReportText["sentences"] {
  const next = firstOwnIndex(work.sentences);
  return SECTIONS.flatMap((section, place) => {
    const text = work.own[section];
    const isOwn = text.trim() !== "" && !work.whole[section];
    return isOwn ? [{ index: next + place, decision: "added" as const, text }] : [];
  });
}

function firstOwnIndex(sentences: readonly WorkSentence[]): number {
  return Math.max(-1, ...sentences.map(({ draft }) => draft.index)) + 1;
}

function restored(draft: DraftSentence, saved: ReportText["sentences"][number] | undefined): WorkSentence {
  if (saved === undefined || saved.decision === "added") return { draft, decision: "pending", text: draft.text };
  return { draft, decision: saved.decision, text: saved.decision === "edited" ? saved.text : draft.text };
}

function asWhole(work: Work, section: Section, saved: string): Work {
  if (collapse(sectionText(work, section)) === collapse(saved)) return work;
  return { ...work, own: { ...work.own, [section]: saved }, whole: { ...work.whole, [section]: true } };
}

export function isSame(one: ReportText, other: ReportText): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** The text and decisions of a report, without the rest of its record. */
export function textOf({ findings, impression, sentences }: Report): ReportText {
  return { findings, impression, sentences };
}
