import { diffMain } from "diff-match-patch-es";

/** A piece that both texts have, or only the draft (deleted), or only the report (inserted). As the service's diff. */
export interface Edit {
  op: "equal" | "deleted" | "inserted";
  text: string;
}

const OPS = { [-1]: "deleted", 0: "equal", 1: "inserted" } as const;
/** UTF-16 units below the surrogates stand for one word each; beyond them the next free ones do. */
const SURROGATES = { first: 0xd800, count: 0x800 };

/** Word by word; equal and deleted joined are the draft, equal and inserted joined are the report. */
export function wordDiff(draft: string, report: string): Edit[] {
  const words: string[] = [];
  const numbers = new Map<string, number>();
  const coded = (text: string) => wordsOf(text).map((word) => unit(numbered(word, words, numbers))).join("");
  return diffMain(coded(draft), coded(report), { diffTimeout: 0 }, false).map(([op, units]) => ({
    op: OPS[op],
    text: Array.from({ length: units.length }, (_, at) => words[numberOf(units.charCodeAt(at))] ?? "").join(""),
  }));
}

/** The draft again, from the report and what changed. Raises RangeError where the changes are not of this report. */
export function draftFrom(report: string, edits: readonly Edit[]): string {
  let at = 0;
  let draft = "";
  for (const { op, text } of edits) {
    if (op !== "inserted") draft += text;
    if (op === "deleted") continue;
    if (!report.startsWith(text, at)) throw new RangeError("The changes are not of this report.");
    at += text.length;
  }
  if (at !== report.length) throw new RangeError("The changes are not of this report.");
  return draft;
}

function wordsOf(text: string): string[] {
  return text.match(/\s+|\S+/g) ?? [];
}

function numbered(word: string, words: string[], numbers: Map<string, number>): number {
  const known = numbers.get(word);
  if (known !== undefined) return known;
  words.push(word);
  numbers.set(word, words.length - 1);
  return words.length - 1;
}

function unit(number: number): string {
  return String.fromCharCode(number < SURROGATES.first ? number : number + SURROGATES.count);
}

function numberOf(code: number): number {
  return code < SURROGATES.first ? code : code - SURROGATES.count;
}
