import { queryOptions } from "@tanstack/react-query";
import type { Client } from "../api/client";

/** Milliseconds that the pixels of an image that is not on the screen stay in memory. */
const KEPT = 10 * 60_000;

/** The pixels of an image, in this page's memory only: those of a stored instance never change. */
export function frameQuery(client: Client, displayUrl: string, priority: "high" | "low" = "high") {
  return queryOptions({
    queryKey: ["frame", displayUrl],
    queryFn: ({ signal }) => client.frame(displayUrl, signal, priority),
    staleTime: Infinity,
    gcTime: KEPT,
  });
}
