import { momentInWords } from "../words/dates";

/** What is longer than this is folded away, in characters. */
const LONG = 160;

export interface Fact {
  name: string;
  /** Its value, as text. */
  words: string;
  /** What stands for it where it is folded away; null where it is short enough to stand itself. */
  summary: string | null;
}

/** The details of an entry, one by one, as they were written. */
export function factsOf(detail: Readonly<Record<string, unknown>>): Fact[] {
  return Object.entries(detail).map(([name, value]) => {
    const words = inWords(value);
    return { name, words, summary: words.length <= LONG ? null : sizeOf(value, words) };
  });
}

function inWords(value: unknown): string {
  if (typeof value === "string") return value === "" ? "(empty)" : value;
  if (value === null) return "none";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(inWords).join(", ");
  return JSON.stringify(value);
}

function sizeOf(value: unknown, words: string): string {
  return Array.isArray(value) ? `${value.length} values` : `${words.length} characters`;
}

/** "12 Mar 2026, 14:05:09" in the reader's own time zone. */
export function secondInWords(iso: string): string {
  const seconds = new Date(iso).getSeconds();
  return Number.isNaN(seconds) ? iso : `${momentInWords(iso)}:${String(seconds).padStart(2, "0")}`;
}
