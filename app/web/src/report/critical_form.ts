import type { CriticalFinding, OpenCriticalFinding, RecordCriticalResult } from "../api/types";

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

/** What is known before anybody was told. */
export type Found = Pick<Facts, "finding" | "foundAt">;

/** The six facts of an open finding, as far as they are known. */
export function factsOf({ finding, found_at }: CriticalFinding): Facts {
  return { finding, foundAt: localMinute(new Date(found_at)), toldTo: "", toldAt: "", method: "", readBack: "" };
}

/** The facts that are missing, by their names; a time that cannot be read is missing. */
export function missing(facts: Found & Partial<Facts>): [keyof Facts, string][] {
  return NAMES.filter(([key]) => {
    const fact = facts[key];
    return fact !== undefined && (fact.trim() === "" || (key.endsWith("At") && Number.isNaN(Date.parse(fact))));
  });
}

/** As the service wants it. Raises RangeError while facts are missing. */
export function openingOf(found: Found): OpenCriticalFinding {
  if (missing(found).length > 0) throw new RangeError("Facts are missing.");
  return { finding: found.finding.trim(), found_at: moment(found.foundAt) };
}

/** As the service wants it. Raises RangeError while facts are missing. */
export function recordOf(facts: Facts, findingId: string): RecordCriticalResult {
  if (missing(facts).length > 0) throw new RangeError("Facts are missing.");
  return {
    finding: facts.finding.trim(),
    found_at: moment(facts.foundAt),
    told_to: facts.toldTo.trim(),
    told_at: moment(facts.toldAt),
    method: facts.method.trim(),
    read_back: facts.readBack === "yes",
    critical_finding_id: findingId,
  };
}

function moment(local: string): string {
  return new Date(local).toISOString();
}
