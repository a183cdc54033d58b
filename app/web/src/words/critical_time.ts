import { spanInWords } from "../worklist/clock";

export interface CriticalTime {
  overdue: boolean;
  /** "48 min", until or since it was due. */
  span: string;
}

/** How a critical result that nobody was told of stands to its time. now: the service's clock, in ms. */
export function criticalTime(dueAt: string, now: number): CriticalTime {
  const left = Date.parse(dueAt) - now;
  return { overdue: left <= 0, span: spanInWords(Math.abs(left)) };
}

/** "Known for 12 min, 48 min left" or "Known for 1 h 03, overdue by 3 min". */
export function knownInWords({ found_at, due_at }: { found_at: string; due_at: string }, now: number): string {
  const { overdue, span } = criticalTime(due_at, now);
  const known = spanInWords(Math.max(0, now - Date.parse(found_at)));
  return `Known for ${known}, ${overdue ? `overdue by ${span}` : `${span} left`}`;
}
