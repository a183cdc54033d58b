import type { StudyState, Urgency, WorklistItem } from "../api/types";

export type SortKey = "due" | "received" | "patient" | "state";

/** The service's own orders (app/review/worklist_order.py), so that a list that lives here stays in them. */
export const URGENCIES: readonly Urgency[] = ["stat", "urgent", "routine", "low"];
const ROAD: readonly StudyState[] = [
  "receiving", "gathering_priors", "drafting", "ready", "draft_unavailable", "not_eligible", "in_review", "signed", "delivered", "failed",
];

type Compare = (a: WorklistItem, b: WorklistItem) => number;

interface Keys {
  received: string;
  name: string;
  rank: number;
  place: number;
  finished: boolean;
}

const known = new WeakMap<WorklistItem, Keys>();

function keysOf(item: WorklistItem): Keys {
  let keys = known.get(item);
  if (keys === undefined) {
    keys = {
      received: sortableMoment(item.received_at),
      name: (item.patient.name ?? "").replace(/[A-Z]/g, (letter) => letter.toLowerCase()),
      rank: URGENCIES.indexOf(item.urgency),
      place: ROAD.indexOf(item.state),
      finished: isFinished(item.state),
    };
    known.set(item, keys);
  }
  return keys;
}

export function isFinished(state: StudyState): boolean {
  return state === "signed" || state === "delivered";
}

/** Each is total: no two studies compare as equal. Descending is the exact reverse. */
export const ORDERS: Readonly<Record<SortKey, Compare>> = {
  due: (a, b) => {
    const [one, other] = [keysOf(a), keysOf(b)];
    if (one.finished !== other.finished) return one.finished ? 1 : -1;
    return one.finished ? byReceived(b, a) : byUrgency(a, b);
  },
  received: byReceived,
  patient: (a, b) => byCodePoint(keysOf(a).name, keysOf(b).name) || byReceived(a, b),
  state: (a, b) => keysOf(a).place - keysOf(b).place || byUrgency(a, b),
};

function byUrgency(a: WorklistItem, b: WorklistItem): number {
  return keysOf(a).rank - keysOf(b).rank || byReceived(a, b);
}

function byReceived(a: WorklistItem, b: WorklistItem): number {
  return byCodePoint(keysOf(a).received, keysOf(b).received) || byCodePoint(a.study_instance_uid, b.study_instance_uid);
}

/** The service leaves the fraction out where it is nought. */
function sortableMoment(iso: string): string {
  return iso.includes(".") ? iso : iso.replace("Z", ".000000Z");
}

/** As UTF-8 bytes compare; `<` compares UTF-16 units, which puts the rarest ideographs before U+E000. */
export function byCodePoint(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at += 1) {
    const difference = weight(a.charCodeAt(at)) - weight(b.charCodeAt(at));
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function weight(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}
