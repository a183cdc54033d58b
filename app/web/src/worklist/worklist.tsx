import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useDeferredValue, useEffect, useState, type KeyboardEvent } from "react";
import type { WorklistFilter } from "../api/client";
import type { WorklistItem } from "../api/types";
import { useServices } from "../app_context";
import { Filters } from "./filters";
import { Row } from "./row";

const EVERYTHING: WorklistFilter = { state: "", priority: "", q: "" };
const COLUMNS = ["Priority", "Waiting", "Patient", "Born", "Sex", "Accession", "Study date", "Study", "State", "Flags", "Report", "Open at"];

interface Props {
  /** The study the reader comes back from, if any: its row gets the focus. */
  last: string | null;
  onOpen: (uid: string) => void;
}

export function Worklist({ last, onOpen }: Props) {
  const { client } = useServices();
  const [filter, setFilter] = useState(EVERYTHING);
  const asked = useDeferredValue(filter);
  const now = useNow();
  const list = useInfiniteQuery({
    queryKey: ["worklist", asked],
    queryFn: ({ pageParam, signal }) => client.worklist(asked, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
  });
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];

  return (
    <main className="worklist">
      <h1>Worklist</h1>
      <Filters filter={filter} onChange={setFilter} />
      {list.isError && <p className="problem" role="alert">{`The worklist could not be read. ${list.error.message}`}</p>}
      <p className="unseen" role="status">{list.isSuccess ? `${items.length} studies shown` : "Reading the worklist"}</p>
      <Table items={items} last={last} now={now} onOpen={onOpen} />
      {list.isSuccess && items.length === 0 && <p className="empty">{emptyWords(asked)}</p>}
      {list.hasNextPage && (
        <button type="button" className="more" disabled={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          Show more studies
        </button>
      )}
    </main>
  );
}

function Table({ items, last, now, onOpen }: { items: readonly WorklistItem[]; last: string | null; now: number; onOpen: (uid: string) => void }) {
  return (
    <div className="table-box">
      <table>
        <thead>
          <tr>{COLUMNS.map((name) => <th key={name} scope="col">{name}</th>)}</tr>
        </thead>
        {/* Arrow keys are a short cut between the rows' own buttons, which Tab also reaches. */}
        {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
        <tbody onKeyDown={moveBetweenRows}>
          {items.map((item) => <Row key={item.study_instance_uid} item={item} wasOpen={item.study_instance_uid === last} now={now} onOpen={onOpen} />)}
        </tbody>
      </table>
    </div>
  );
}

function moveBetweenRows(event: KeyboardEvent<HTMLTableSectionElement>): void {
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  const buttons = [...event.currentTarget.querySelectorAll("button")];
  const next = buttons[buttons.findIndex((button) => button === event.target) + step];
  if (step === 0 || next === undefined) return;
  event.preventDefault();
  next.focus();
}

function emptyWords(filter: WorklistFilter): string {
  const filtered = Object.values(filter).some((value) => value !== "");
  return filtered ? "No study matches the filter." : "No study has been received yet. Studies appear here as they arrive by DICOM.";
}

/** The time, renewed each half minute, for the ages in the list. */
function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => { setNow(Date.now()); }, 30_000);
    return () => { window.clearInterval(timer); };
  }, []);
  return now;
}
