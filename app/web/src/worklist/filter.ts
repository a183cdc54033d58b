import type { StudyState, Urgency, WorklistItem } from "../api/types";
import { nameInWords } from "../words/person";
import { isFinished } from "./order";

export type Held = "" | "unlocked" | "locked" | "mine";

/** What a reader narrows the list by. No state: all that is open, and what was signed with a critical result that nobody was told of. within: minutes since the study came, 0: any. */
export interface ListFilter {
  states: readonly StudyState[];
  urgencies: readonly Urgency[];
  held: Held;
  critical: boolean;
  /** With a critical result that nobody was told of yet. */
  untold: boolean;
  flagged: boolean;
  within: number;
  q: string;
}

export const WHOLE_LIST: ListFilter = { states: [], urgencies: [], held: "", critical: false, untold: false, flagged: false, within: 0, q: "" };

export function isNarrowed(filter: ListFilter): boolean {
  return JSON.stringify(filter) !== JSON.stringify(WHOLE_LIST);
}

export function wantsFinished(filter: ListFilter): boolean {
  return filter.states.some(isFinished);
}

/** now: the service's clock, in ms. */
export function matches(filter: ListFilter, now: number): (item: WorklistItem) => boolean {
  const words = filter.q.trim().toLowerCase();
  const since = filter.within === 0 ? 0 : now - filter.within * 60_000;
  return (item) =>
    (filter.states.length === 0 ? !isFinished(item.state) || isUntold(item) : filter.states.includes(item.state))
    && (filter.urgencies.length === 0 || filter.urgencies.includes(item.urgency))
    && (filter.held === "" || isHeld(item, filter.held))
    && (!filter.critical || item.critical)
    && (!filter.untold || isUntold(item))
    && (!filter.flagged || (item.flags ?? 0) > 0)
    && (since === 0 || Date.parse(item.received_at) >= since)
    && (words === "" || haystack(item).includes(words));
}

/** A critical result was told to nobody yet: the study is not done with, signed or not. */
export function isUntold({ critical_due_at }: WorklistItem): boolean {
  return critical_due_at !== null;
}

function isHeld(item: WorklistItem, held: Exclude<Held, "">): boolean {
  if (held === "unlocked") return item.lock === null;
  if (held === "locked") return item.lock !== null;
  return item.lock?.mine === true || (item.report_mine && item.report_status === "preliminary");
}

const known = new WeakMap<WorklistItem, string>();

/** The parts are kept apart by a character that nobody types. */
function haystack(item: WorklistItem): string {
  let text = known.get(item);
  if (text === undefined) {
    const { name, id } = item.patient;
    text = [name, nameInWords(name), id, item.accession_number].join("\n").toLowerCase();
    known.set(item, text);
  }
  return text;
}

export interface Tallies {
  urgencies: Readonly<Record<Urgency, number>>;
  critical: number;
  untold: number;
  flagged: number;
}

/** Of the studies in the chosen states, whatever else is chosen. */
export function tally(items: readonly WorklistItem[], filter: ListFilter): Tallies {
  const inState = matches({ ...WHOLE_LIST, states: filter.states }, 0);
  const urgencies = { stat: 0, urgent: 0, routine: 0, low: 0 };
  let [critical, untold, flagged] = [0, 0, 0];
  for (const item of items) {
    if (!inState(item)) continue;
    urgencies[item.urgency] += 1;
    if (item.critical) critical += 1;
    if (isUntold(item)) untold += 1;
    if ((item.flags ?? 0) > 0) flagged += 1;
  }
  return { urgencies, critical, untold, flagged };
}
