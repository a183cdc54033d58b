import type { Client } from "../api/client";
import { Problem } from "../api/http";
import type { Oversight, OversightBy } from "../api/types";
import type { Period } from "./period";

/** How many of the period's reports the service has read so far. */
export interface Progress {
  read: number;
  reports: number;
}

export function draftFigures({ http }: Client, { from, to }: Period, by: OversightBy, signal: AbortSignal): Promise<Oversight> {
  return http.json(`/oversight/drafts?${new URLSearchParams({ from, to, by }).toString()}`, { signal });
}

/** Of the refusal "not all read yet", after which the same call goes on; null for every other error. */
export function progressOf(error: Error | null): Progress | null {
  if (!(error instanceof Problem) || error.fields["type"] !== "urn:unirg:problem:still-reading") return null;
  const { read, reports } = error.fields;
  return typeof read === "number" && typeof reports === "number" ? { read, reports } : null;
}
