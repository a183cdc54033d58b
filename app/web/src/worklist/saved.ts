import type { StudyState, Urgency } from "../api/types";
import { STATES, URGENCY_WORDS } from "../words/said";
import { WHOLE_LIST, type Held, type ListFilter } from "./filter";
import { ORDERS, type SortKey } from "./order";

export interface SortBy {
  key: SortKey;
  desc: boolean;
}

export interface List {
  filter: ListFilter;
  sort: SortBy;
}

/** What stands before a reader who has asked for nothing yet. */
export const FIRST_LIST: List = { filter: WHOLE_LIST, sort: { key: "due", desc: false } };

/** Query parameters of GET /worklist, which is how the service keeps a list. */
export type Kept = Record<string, boolean | number | string | string[]>;

export function kept({ filter, sort }: List): Kept {
  return {
    ...(filter.states.length > 0 && { state: [...filter.states] }),
    ...(filter.urgencies.length > 0 && { urgency: [...filter.urgencies] }),
    ...(filter.held !== "" && { held: filter.held }),
    ...(filter.critical && { critical: true }),
    ...(filter.untold && { critical_state: ["open", "overdue"] }),
    ...(filter.flagged && { flagged: true }),
    ...(filter.within > 0 && { received_within: filter.within }),
    ...(filter.q.trim() !== "" && { q: filter.q.trim() }),
    sort: sort.key,
    order: sort.desc ? "desc" : "asc",
  };
}

/** What it does not know, another client may have kept: it is left out. */
export function read(values: Kept): List {
  const { held, received_within: within, q, sort } = values;
  return {
    filter: {
      states: several(values["state"]).filter((state): state is StudyState => Object.hasOwn(STATES, state)),
      urgencies: several(values["urgency"]).filter((urgency): urgency is Urgency => Object.hasOwn(URGENCY_WORDS, urgency)),
      held: ["unlocked", "locked", "mine"].includes(String(held)) ? (held as Held) : "",
      critical: values["critical"] === true,
      untold: several(values["critical_state"]).includes("open"),
      flagged: values["flagged"] === true,
      within: typeof within === "number" ? within : WHOLE_LIST.within,
      q: typeof q === "string" ? q : "",
    },
    sort: { key: Object.hasOwn(ORDERS, String(sort)) ? (sort as SortKey) : "due", desc: values["order"] === "desc" },
  };
}

function several(value: Kept[string] | undefined): string[] {
  return Array.isArray(value) ? value : typeof value === "string" ? [value] : [];
}
