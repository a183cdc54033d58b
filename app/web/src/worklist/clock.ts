import type { WorklistItem } from "../api/types";
import { isFinished } from "./order";

const MINUTE = 60_000;
/** The last part of the time there is in which a study counts as due soon. */
const SOON = 0.25;

export type Pace = "met" | "missed" | "ample" | "soon" | "overdue" | "stopped";

export interface Clock {
  pace: Pace;
  words: string;
}

/** The time until a study is due, or how it came out. now: the service's clock, in ms. */
export function clockOf(item: WorklistItem, now: number): Clock {
  const [received, due] = [Date.parse(item.received_at), Date.parse(item.due_at)];
  if (item.signed_at !== null) {
    const signed = Date.parse(item.signed_at);
    return signed <= due ? { pace: "met", words: "in time" } : { pace: "missed", words: `${spanInWords(signed - due)} late` };
  }
  if (isFinished(item.state)) return { pace: "stopped", words: "" };
  const left = due - now;
  if (left < 0) return { pace: "overdue", words: `overdue ${spanInWords(-left)}` };
  return { pace: left < (due - received) * SOON ? "soon" : "ample", words: `${spanInWords(left)} left` };
}

/** "12 min", "3 h 05", "2 d 4 h"; a minute that has begun is not counted. */
export function spanInWords(span: number): string {
  const minutes = Math.floor(span / MINUTE);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, "0")}`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
