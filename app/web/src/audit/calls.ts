import type { Http } from "../api/http";
import type { components } from "../api/schema";

type Schemas = components["schemas"];

export type Entry = Schemas["AuditEntryOut"];
export type Entries = Schemas["AuditPage"];
export type Chain = Schemas["ChainOut"];
export type Outcome = Schemas["Outcome"];
export type Order = Schemas["Order"];

export const PAGE = 100;

/** asked: as the service names its filters. after: `next` of the page before; null for the first. That somebody looked is itself an entry. */
export function readEntries(http: Http, asked: Readonly<Record<string, string>>, after: number | null, signal: AbortSignal): Promise<Entries> {
  const query = new URLSearchParams({ ...asked, limit: String(PAGE), ...(after === null ? {} : { after: String(after) }) });
  return http.json(`/audit?${query.toString()}`, { signal });
}

/** Walks the whole chain, which takes a while for a long one. */
export function verifyChain(http: Http): Promise<Chain> {
  return http.json("/audit/verify");
}
