import { Problem } from "../api/http";
import type { DecisionCounts, OversightBy } from "../api/types";

export const GROUPINGS: Readonly<Record<OversightBy, { words: string; group: string; meaning: string }>> = {
  model: { words: "Model", group: "Model version", meaning: "A model version is a model’s name with the digest of its weights and the version of its prompt." },
  site: { words: "Site", group: "Site", meaning: "A site is the issuer of the patient ID; where the record has none, the AE titles that sent the images." },
  device: { words: "Device", group: "Device", meaning: "The record keeps no name of the device that took an image, so all reports are in one group." },
  view: { words: "View", group: "Views", meaning: "Views are those of all images that the study had when it was signed; “LL + PA” is a study with both." },
};

const DIGITS = new Intl.NumberFormat("en");

export function inDigits(count: number): string {
  return DIGITS.format(count);
}

/** "60 %"; never 0 % of some, nor 100 % of less than all. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return "–";
  const share = (100 * part) / whole;
  if (part > 0 && share < 1) return "<1 %";
  if (part < whole && share > 99) return ">99 %";
  return `${Math.round(share)} %`;
}

/** "45 s", "4 min 20 s", "2 h 05 min", "3 d 4 h". */
export function durationInWords(seconds: number | null): string {
  if (seconds === null) return "–";
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  const hours = Math.round(seconds / 3600);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function classInWords(name: string): string {
  return name === "none" ? "No finding stated" : capital(name);
}

export function flagInWords(code: string): string {
  return capital(code.replaceAll("-", " "));
}

/** Sentences that the model wrote: all but those that a reader added. */
export function drafted({ accepted, edited, rejected, pending }: DecisionCounts): number {
  return accepted + edited + rejected + pending;
}

/** The most frequent first; sentences without a finding last. */
export function byFrequency<Row extends { finding_class: string }>(rows: readonly Row[], count: (row: Row) => number): Row[] {
  const rank = (row: Row) => (row.finding_class === "none" ? -1 : count(row));
  return [...rows].sort((one, other) => rank(other) - rank(one));
}

/** What stands before the service's own words on why there are no figures. */
export function headlineOf(error: Error): string {
  if (error instanceof Problem && error.status === 403) return "These figures are for leads.";
  if (error instanceof Problem && error.status < 500) return "The service refused these days.";
  return "The figures could not be read.";
}

export function isWorthTrying(error: Error): boolean {
  return !(error instanceof Problem) || error.status >= 500;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
