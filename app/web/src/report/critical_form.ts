import type { RecordCriticalResult } from "../api/types";

/** The six facts as they are typed; times as an input of type datetime-local has them, readBack "" until chosen. */
export interface Facts {
  finding: string;
  foundAt: string;
  toldTo: string;
  toldAt: string;
  method: string;
  readBack: "" | "yes" | "no";
}

const NAMES: readonly [keyof Facts, string][] = [
  ["finding", "what was found"],
  ["foundAt", "when it was found"],
  ["toldTo", "who was told"],
  ["toldAt", "when he was told"],
  ["method", "how"],
  ["readBack", "whether it was read back"],
];

/** A moment as datetime-local has it, in the reader's own time zone. */
export function localMinute(moment: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}T${two(moment.getHours())}:${two(moment.getMinutes())}`;
}

export function begunAt(moment: Date): Facts {
  return { finding: "", foundAt: localMinute(moment), toldTo: "", toldAt: "", method: "", readBack: "" };
}

/** Whether anything was written about it yet: then it is open until somebody was told, or it is let go. */
export function isBegun({ finding, toldTo }: Facts): boolean {
  return finding.trim() !== "" || toldTo.trim() !== "";
}

/** The facts that are missing, by their names; a time that cannot be read is missing. */
export function missing(facts: Facts): [keyof Facts, string][] {
  return NAMES.filter(([key]) => facts[key].trim() === "" || (key.endsWith("At") && Number.isNaN(Date.parse(facts[key]))));
}

/** As the service wants it. Raises RangeError while facts are missing. */
export function recordOf(facts: Facts): RecordCriticalResult {
  if (missing(facts).length > 0) throw new RangeError("Facts are missing.");
  const moment = (local: string) => new Date(local).toISOString();
  return {
    finding: facts.finding.trim(),
    found_at: moment(facts.foundAt),
    told_to: facts.toldTo.trim(),
    told_at: moment(facts.toldAt),
    method: facts.method.trim(),
    read_back: facts.readBack === "yes",
  };
}

/** "12 min": how long it has been known and told to nobody. */
export function openFor(foundAt: string, now: number): string {
  const minutes = Math.max(0, Math.floor((now - Date.parse(foundAt)) / 60_000));
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
