import { skipToken, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

/** The worklist as it last stood before the reader, sorted and filtered: its studies from the top, and how one is opened. */
export interface SeenList {
  uids: readonly string[];
  open: (uid: string) => void;
}

/** In the cache, which is emptied when the reader logs out. */
const SEEN = ["seen list"] as const;

export function useHandOn(rows: readonly { id: string }[], open: (uid: string) => void): void {
  const queries = useQueryClient();
  useEffect(() => {
    queries.setQueryData<SeenList>(SEEN, { uids: rows.map(({ id }) => id), open });
  }, [queries, rows, open]);
}

export function useSeenList(): SeenList | undefined {
  return useQuery<SeenList>({ queryKey: SEEN, queryFn: skipToken, gcTime: Infinity }).data;
}

/** The studies after this one; none where the list ends or does not hold it. */
export function following(list: SeenList | undefined, open: string, count: number): readonly string[] {
  const here = list?.uids.indexOf(open) ?? -1;
  return here < 0 ? [] : (list?.uids.slice(here + 1, here + 1 + count) ?? []);
}
