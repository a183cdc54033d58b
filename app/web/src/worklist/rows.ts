import { useInfiniteQuery, type InfiniteData, type QueryClient, type UseInfiniteQueryResult } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import type { Client } from "../api/client";
import type { FindStudies, StudyState, WorklistItem, WorklistPage } from "../api/types";
import { isUntold } from "./filter";
import { isFinished } from "./order";

export const ROWS = ["worklist", "rows"] as const;
export const COUNTS = ["worklist", "counts"] as const;

const OPEN: readonly StudyState[] = ["receiving", "gathering_priors", "drafting", "ready", "draft_unavailable", "not_eligible", "in_review", "failed"];
const FINISHED: readonly StudyState[] = ["signed", "delivered"];
/** The first page is small, so that the most urgent are on the screen while the rest comes. */
const FIRST_PAGE = 100;
const PAGE = 1000;
const MOST_OPEN = 20_000;
const MOST_FINISHED = 2_000;

/** skew: what the service's clock is ahead of this one's, in ms. */
type LoadedPage = WorklistPage & { skew: number };
type Pages = InfiniteData<LoadedPage>;

export interface Rows {
  items: readonly WorklistItem[];
  skew: number;
  loading: boolean;
  /** What was left out of the list for its number, in words. */
  limits: readonly string[];
  error: Error | null;
  ready: boolean;
}

/** All open studies, the signed ones with a critical result told to nobody yet, and where wanted the latest signed ones that `q` finds. */
export function useRows(client: Client, finished: boolean, q: string): Rows {
  const open = useInfiniteQuery(pagesOf(client, "", OPEN, "", MOST_OPEN));
  const untold = useInfiniteQuery(pagesOf(client, "untold", FINISHED, "", MOST_FINISHED, { critical_state: ["open", "overdue"] }));
  const signed = useInfiniteQuery({ ...pagesOf(client, "finished", FINISHED, q.trim(), MOST_FINISHED), enabled: finished });
  useWholeList(open);
  useWholeList(untold);
  useWholeList(signed, finished);
  const items = useMemo(() => merged(open.data, untold.data, finished ? signed.data : undefined), [open.data, untold.data, finished, signed.data]);
  return {
    items,
    skew: open.data?.pages[0]?.skew ?? 0,
    loading: open.isFetching || untold.isFetching || (finished && signed.isFetching),
    limits: [
      ...(isCut(open.data, MOST_OPEN) ? [`Only the ${MOST_OPEN} most urgent open studies are shown.`] : []),
      ...(finished && isCut(signed.data, MOST_FINISHED) ? [`Of the signed studies the latest ${MOST_FINISHED} are shown; search to find earlier ones.`] : []),
    ],
    error: open.error ?? untold.error ?? signed.error,
    ready: open.isSuccess,
  };
}

function pagesOf(client: Client, name: string, states: readonly StudyState[], q: string, most: number, also: Partial<FindStudies> = {}) {
  return {
    queryKey: [...ROWS, name, q],
    queryFn: async ({ pageParam, signal }: { pageParam: string | null; signal: AbortSignal }): Promise<LoadedPage> => {
      const where = pageParam === null ? { limit: FIRST_PAGE } : { limit: PAGE, cursor: pageParam };
      const page = await client.worklist({ ...also, state: [...states], ...(q === "" ? {} : { q }), ...where }, signal);
      return { ...page, skew: Date.parse(page.as_of) - Date.now() };
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page: LoadedPage, all: LoadedPage[]) => (sizeOf(all) < most ? page.next_cursor : null),
    // Changes are announced and patched in; what was missed is invalidated by whoever missed it.
    staleTime: Infinity,
    gcTime: Infinity,
  };
}

function useWholeList(list: UseInfiniteQueryResult, wanted = true): void {
  const { hasNextPage, isFetching, isError, fetchNextPage } = list;
  useEffect(() => {
    if (wanted && hasNextPage && !isFetching && !isError) void fetchNextPage();
  }, [wanted, hasNextPage, isFetching, isError, fetchNextPage]);
}

function sizeOf(pages: readonly LoadedPage[]): number {
  return pages.reduce((sum, page) => sum + page.items.length, 0);
}

function isCut(data: Pages | undefined, most: number): boolean {
  return data !== undefined && data.pages.at(-1)?.next_cursor !== null && sizeOf(data.pages) >= most;
}

/** Each study once: one that moved between two pages is in both. */
function merged(...lists: readonly (Pages | undefined)[]): WorklistItem[] {
  const found = new Map<string, WorklistItem>();
  for (const list of lists) {
    for (const page of list?.pages ?? []) for (const item of page.items) found.set(item.study_instance_uid, item);
  }
  return [...found.values()];
}

/** Puts what the service says of the studies `asked` in the place of what was known of them. */
export function patchRows(queries: QueryClient, asked: ReadonlySet<string>, now: readonly WorklistItem[]): void {
  for (const query of queries.getQueryCache().findAll({ queryKey: ROWS })) {
    const finishedOnly = query.queryKey.includes("finished");
    const untoldOnly = query.queryKey.includes("untold");
    const belongs = (item: WorklistItem) => (!finishedOnly && !untoldOnly) || (isFinished(item.state) && (finishedOnly || isUntold(item)));
    queries.setQueryData<Pages>(query.queryKey, (data) => data && patched(data, asked, now.filter(belongs)));
  }
}

function patched(data: Pages, asked: ReadonlySet<string>, now: readonly WorklistItem[]): Pages {
  const [first, ...rest] = data.pages.map((page) =>
    page.items.some(({ study_instance_uid }) => asked.has(study_instance_uid))
      ? { ...page, items: page.items.filter(({ study_instance_uid }) => !asked.has(study_instance_uid)) }
      : page);
  return first === undefined ? data : { ...data, pages: [{ ...first, items: [...first.items, ...now] }, ...rest] };
}

/** Studies whose lease should have ended: a renewal is not announced. now: this clock, in ms. */
export function lapsed(queries: QueryClient, now: number): string[] {
  const pages = queries.getQueriesData<Pages>({ queryKey: ROWS }).flatMap(([, data]) => data?.pages ?? []);
  return pages.flatMap(({ items, skew }) =>
    items.filter(({ lock }) => lock !== null && Date.parse(lock.expires_at) < now + skew).map((item) => item.study_instance_uid));
}
