import { useQueryClient, type InfiniteData, type QueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Client } from "../api/client";
import type { WorklistPage } from "../api/types";
import { useServices } from "../app_context";
import { pyramid } from "../viewer/pyramid";
import { frameQuery } from "./frame_query";
import { hang } from "./hanging";

/** Studies that are made ready while another one is read. */
const AHEAD = 2;

/**
 * While `ready` holds (the images of the open study are drawn), brings the studies that follow it in the worklist into
 * memory, one after the other and with low priority. A failure is met again, and told, when the study is opened.
 */
export function usePrefetch(open: string, ready: boolean): void {
  const { client } = useServices();
  const queries = useQueryClient();
  useEffect(() => {
    if (!ready) return undefined;
    let wanted = true;
    const fetching = async () => {
      for (const uid of following(queries, open, AHEAD)) if (wanted) await prefetchStudy(queries, client, uid);
    };
    fetching().catch(() => undefined);
    return () => { wanted = false; };
  }, [client, open, queries, ready]);
}

/** One study, the two images that it will be hung with, and their smaller sizes, into the page's memory. */
export async function prefetchStudy(queries: QueryClient, client: Client, uid: string): Promise<void> {
  const study = await queries.query({ queryKey: ["study", uid], queryFn: () => client.study(uid) });
  const { current, prior } = hang(study.images);
  for (const image of [current, prior]) {
    if (image === null) continue;
    const frame = await queries.query(frameQuery(client, image.display_url, "low"));
    await idle();
    pyramid(frame);
  }
}

/** The studies after this one, as the service ordered the list that holds it. */
export function following(queries: QueryClient, open: string, count: number): string[] {
  for (const [, list] of queries.getQueriesData<Partial<InfiniteData<WorklistPage>>>({ queryKey: ["worklist"] })) {
    const uids = list?.pages?.flatMap((page) => page.items.map((item) => item.study_instance_uid)) ?? [];
    const here = uids.indexOf(open);
    if (here >= 0) return uids.slice(here + 1, here + 1 + count);
  }
  return [];
}

function idle(): Promise<void> {
  return new Promise((resolve) => { requestIdleCallback(() => { resolve(); }, { timeout: 2000 }); });
}
