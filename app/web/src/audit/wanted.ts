import type { Order, Outcome } from "./calls";

/** The search as it is typed; "" asks for any. from, until: moments of this workstation, YYYY-MM-DDTHH:MM. */
export interface Wanted {
  from: string;
  until: string;
  actor: string;
  action: string;
  outcome: Outcome | "";
  study: string;
  order: Order;
}

export const ANYTHING: Wanted = { from: "", until: "", actor: "", action: "", outcome: "", study: "", order: "newest" };

/** Why this cannot be searched for, and which field it is about; null where it can. */
export function objection({ from, until, study }: Wanted): { field: keyof Wanted; words: string } | null {
  if (!/^[0-9.]{0,64}$/.test(study.trim())) return { field: "study", words: "A Study Instance UID has digits and dots only, at most 64 of them." };
  if (from !== "" && until !== "" && from >= until) return { field: "until", words: "The period ends before it begins: put the later moment into “Until”." };
  return null;
}

/** As the service names its filters, without those that ask for any. */
export function parameters({ from, until, actor, action, outcome, study, order }: Wanted): Record<string, string> {
  const asked = { from: moment(from), to: moment(until), actor: actor.trim(), action: action.trim(), outcome, study: study.trim(), order };
  return Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== ""));
}

function moment(local: string): string {
  return local === "" ? "" : new Date(local).toISOString();
}

/** Actions as they can be asked for: each by itself, and the groups that they stand in, in alphabetical order. */
export function askable(actions: readonly string[]): string[] {
  return [...new Set(actions.flatMap((action) => [action.split(".")[0] ?? action, action]))].sort();
}
