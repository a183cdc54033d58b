import { skipToken, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

/** The worklist as it last stood before the reader, sorted and filtered: the studies from the top. */
export type SeenList = readonly string[];

/** In the cache, which is emptied when the reader logs out. */
const SEEN = ["seen list"] as const;

export function useHandOn(rows: readonly { id: string }[]): void {
  const queries = useQueryClient();
  useEffect(() => {
    queries.setQueryData<SeenList>(SEEN, rows.map(({ id }) => id));
  }, [queries, rows]);
}

export function useSeenList(): SeenList | undefined {
  return useQuery<SeenList>({ queryKey: SEEN, queryFn: skipToken, gcTime: Infinity }).data;
}

/** The studies after this one; none where the list ends or does not hold it. */
export function following(list: SeenList | undefined, open: string, count: number): readonly string[] {
  const here = list?.indexOf(open) ?? -1;
  return here < 0 ? [] : (list?.slice(here + 1, here + 1 + count) ?? []);
}
