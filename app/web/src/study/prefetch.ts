import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Client } from "../api/client";
import { useServices } from "../app_context";
import { pyramid } from "../viewer/pyramid";
import { following, useSeenList } from "../worklist/seen_list";
import { frameQuery } from "./frame_query";
import { hang } from "./hanging";

/** Studies that are made ready while another one is read. */
const AHEAD = 2;

/**
 * While `ready` holds (the images of the open study are drawn), brings the studies that follow it in the list that
 * the reader came from into memory, one after the other and with low priority. A failure is met again, and told, when the study is opened.
 */
export function usePrefetch(open: string, ready: boolean): void {
  const { client } = useServices();
  const queries = useQueryClient();
  const list = useSeenList();
  useEffect(() => {
    if (!ready) return undefined;
    let wanted = true;
    const fetching = async () => {
      for (const uid of following(list, open, AHEAD)) if (wanted) await prefetchStudy(queries, client, uid);
    };
    fetching().catch(() => undefined);
    return () => { wanted = false; };
  }, [client, list, open, queries, ready]);
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

function idle(): Promise<void> {
  return new Promise((resolve) => { requestIdleCallback(() => { resolve(); }, { timeout: 2000 }); });
}
