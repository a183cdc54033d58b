import { useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useServices } from "../app_context";
import { readQueues } from "./calls";
import type { Queues } from "./types";

export const QUEUES = ["admin", "queues"];
export const DEAD_LETTERS = ["admin", "dead-letters"];

/** In ms; a page that is not in sight asks nothing. */
const EVERY = 10_000;

/** The queues, asked for again and again while the page is in sight; no patient is in them and no look at them is audited. */
export function useQueues(): UseQueryResult<Queues> {
  const { client } = useServices();
  return useQuery({ queryKey: QUEUES, queryFn: ({ signal }) => readQueues(client.http, signal), refetchInterval: EVERY });
}
