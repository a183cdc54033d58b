// @vitest-environment jsdom
import { InfiniteQueryObserver, QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Client } from "../api/client";
import { Http } from "../api/http";
import { Patches } from "./patches";
import { ROWS } from "./rows";

const NOON = Date.parse("2026-11-20T12:00:00Z");

/** The service: what it would say of each study, and what it was asked. */
let told: Record<string, object>;
let asked: string[][];
let reads: number;
let queries: QueryClient;
let patches: Patches;

beforeEach(() => {
  vi.useFakeTimers({ now: NOON });
  told = {};
  asked = [];
  reads = 0;
  vi.stubGlobal("fetch", (_address: string, { body }: { body: string }) => {
    const uids = (JSON.parse(body) as { study: string[] }).study;
    asked.push(uids);
    const items = uids.flatMap((uid) => told[uid] ?? []);
    return Promise.resolve(new Response(JSON.stringify({ items, next_cursor: null, as_of: "2026-11-20T12:00:00Z" })));
  });
  queries = new QueryClient();
  patches = new Patches(queries, new Client(new Http()));
});

afterEach(() => {
  patches.stop();
  queries.clear();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function study(uid: string, values: object = {}): object {
  return { study_instance_uid: uid, state: "ready", lock: null, ...values };
}

/** Puts a list on the screen; returns what takes it off again. */
function show(items: object[], load?: Promise<object>): () => void {
  const first = { items, next_cursor: null, skew: 0 };
  const observer = new InfiniteQueryObserver(queries, {
    queryKey: [...ROWS, "", ""],
    queryFn: () => {
      reads += 1;
      return load ?? Promise.resolve(first);
    },
    initialPageParam: null,
    getNextPageParam: () => null,
    staleTime: Infinity,
    ...(load === undefined && { initialData: { pages: [first], pageParams: [null] } }),
  });
  return observer.subscribe(() => undefined);
}

function shown(): unknown[] {
  const data = queries.getQueryData<{ pages: { items: unknown[] }[] }>([...ROWS, "", ""]);
  return data?.pages.flatMap(({ items }) => items) ?? [];
}

it("asks for what changed in one breath together, and puts it in its place", async () => {
  show([study("1.1"), study("1.2"), study("1.3")]);
  told = { "1.2": study("1.2", { state: "in_review" }), "1.4": study("1.4") };
  for (const uid of ["1.2", "1.3", "1.2", "1.4"]) patches.note(uid);
  await vi.advanceTimersByTimeAsync(500);
  expect(asked).toEqual([["1.2", "1.3", "1.4"]]);
  expect(shown()).toEqual([study("1.1"), study("1.2", { state: "in_review" }), study("1.4")]);
});

it("waits for a page that may have been read before the change", async () => {
  let arrive: (page: object) => void = () => undefined;
  show([], new Promise((resolve) => { arrive = resolve; }));
  told = { "1.1": study("1.1", { state: "signed" }) };
  patches.note("1.1");
  await vi.advanceTimersByTimeAsync(2000);
  expect(asked).toEqual([]);
  arrive({ items: [study("1.1")], next_cursor: null, skew: 0 });
  await vi.advanceTimersByTimeAsync(500);
  expect(asked).toEqual([["1.1"]]);
  expect(shown()).toEqual([study("1.1", { state: "signed" })]);
});

it("looks at nothing while no list is on the screen, and makes up for it when one is", async () => {
  const hide = show([study("1.1")]);
  hide();
  told = { "1.1": study("1.1", { state: "failed" }) };
  patches.note("1.1");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked).toEqual([]);
  show([]);
  await vi.advanceTimersByTimeAsync(500);
  expect(asked).toEqual([["1.1"]]);
});

it("asks again for a study whose lease has run out, since nobody announces that", async () => {
  show([study("1.1", { lock: { owner: "Dr Max", mine: false, expires_at: "2026-11-20T12:01:00Z" } }), study("1.2")]);
  told = { "1.1": study("1.1") };
  await vi.advanceTimersByTimeAsync(59_000);
  expect(asked).toEqual([]);
  await vi.advanceTimersByTimeAsync(7_000);
  expect(asked).toEqual([["1.1"]]);
  expect(shown()).toEqual([study("1.2"), study("1.1")]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked).toHaveLength(1);
});

it("reads the list anew where more changed than can be asked for", async () => {
  show([study("1.1")]);
  for (let number = 0; number < 201; number += 1) patches.note(`1.${number}`);
  await vi.advanceTimersByTimeAsync(500);
  expect([asked, reads]).toEqual([[], 1]);
});
