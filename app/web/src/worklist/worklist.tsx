import { useQuery } from "@tanstack/react-query";
import { useCallback, useDeferredValue, useMemo, useRef, useState, type Dispatch, type SetStateAction } from "react";
import type { WorklistItem } from "../api/types";
import { useServices } from "../app_context";
import { useNow } from "../now";
import { nameInWords } from "../words/person";
import { criticalTime } from "../words/critical_time";
import { useArrivals } from "./arrivals";
import { clockOf } from "./clock";
import { isNarrowed, matches, tally, wantsFinished, WHOLE_LIST, type ListFilter } from "./filter";
import { Filters } from "./filters";
import { Grid } from "./grid";
import type { SortKey } from "./order";
import { useListKeys } from "./keys";
import { COUNTS, useRows, type Rows } from "./rows";
import type { List } from "./saved";
import { SavedLists } from "./saved_lists";

/** The clocks in the list move so often, in ms. */
const TICK = 15_000;

interface Props {
  list: List;
  onList: Dispatch<SetStateAction<List>>;
  /** The study the reader comes back from, if any: its row gets the focus. */
  last: string | null;
  onOpen: (uid: string) => void;
}

export function Worklist({ list: { filter, sort }, onList, last, onOpen }: Props) {
  const { client } = useServices();
  const [active, setActive] = useState(last);
  const wantsFocus = useRef(true);
  const main = useRef<HTMLElement>(null);
  const search = useRef<HTMLInputElement>(null);
  const chips = useRef<HTMLButtonElement>(null);
  const asked = useDeferredValue(filter);
  const rows = useRows(client, wantsFinished(asked), asked.q);
  const counts = useQuery({ queryKey: COUNTS, queryFn: ({ signal }) => client.worklistCounts(signal) });
  const now = useNow(rows.skew, TICK);
  const moment = asked.within === 0 ? 0 : now;
  const items = useMemo(() => rows.items.filter(matches(asked, moment)), [rows.items, asked, moment]);
  const tallies = useMemo(() => tally(rows.items, asked), [rows.items, asked]);
  const arrival = useArrivals(rows.items, rows.ready && !rows.loading);

  const toList = useCallback((uid: string | null) => {
    wantsFocus.current = true;
    setActive((before) => uid ?? before);
    main.current?.querySelector<HTMLElement>("[role=row][aria-selected=true] .open")?.focus();
  }, []);
  const setFilter = useCallback((next: ListFilter) => { onList((before) => ({ ...before, filter: next })); }, [onList]);
  const onFilter = useCallback((next: ListFilter) => {
    setFilter(next);
    setActive(null);
  }, [setFilter]);
  const onSort = useCallback((key: SortKey) => {
    setActive(null);
    onList((before) => ({ ...before, sort: { key, desc: before.sort.key === key && !before.sort.desc } }));
  }, [onList]);
  useListKeys(main, { search, chips, toList: () => { toList(null); }, onFocus: () => { wantsFocus.current = false; } });

  return (
    <main ref={main} className="worklist" tabIndex={-1}>
      <h1 className="unseen">Worklist</h1>
      <Filters filter={filter} onChange={onFilter} counts={counts.data?.states ?? {}} tallies={tallies} search={search} first={chips} />
      {rows.error !== null && <p className="problem" role="alert">{`The worklist could not be read. ${rows.error.message}`}</p>}
      <div className="sum">
        <Sum items={items} rows={rows} now={now} />
        <SavedLists filter={filter} sort={sort} onApply={(list) => { setActive(null); onList(list); }} />
      </div>
      {arrival.study !== null && <Arrival study={arrival.study} onShow={(uid) => { setFilter(WHOLE_LIST); toList(uid); arrival.dismiss(); }} onDismiss={arrival.dismiss} />}
      <Grid items={items} sort={sort} onSort={onSort} question={JSON.stringify([asked, sort])} active={active} onChoose={setActive} onOpen={onOpen} wantsFocus={wantsFocus} now={now} />
      {rows.ready && !rows.loading && items.length === 0 && <p className="empty">{emptyWords(asked)}</p>}
    </main>
  );
}

function Sum({ items, rows, now }: { items: readonly WorklistItem[]; rows: Rows; now: number }) {
  const overdue = items.filter((item) => clockOf(item, now).pace === "overdue").length;
  return (
    <>
      <span role="status">{rows.ready ? `${items.length} ${items.length === 1 ? "study" : "studies"}` : "Reading the worklist"}</span>
      <Untold items={rows.items} now={now} />
      {overdue > 0 && <span className="overdue-sum">{`${overdue} overdue`}</span>}
      {rows.ready && rows.loading && <span>more are being read…</span>}
      {rows.limits.map((words) => <span key={words}>{words}</span>)}
    </>
  );
}

/** Critical results told to nobody yet, of all studies that were read: no filter hides them. */
function Untold({ items, now }: { items: readonly WorklistItem[]; now: number }) {
  const due = items.map((item) => item.critical_due_at).filter((at) => at !== null);
  const overdue = due.filter((at) => criticalTime(at, now).overdue).length;
  const counted = (count: number, words: string) => `${count} critical ${count === 1 ? "result" : "results"} ${words}`;
  return (
    <span aria-live="polite" className="untold-sum">
      {overdue > 0 && <strong className="critical critical-overdue">{counted(overdue, "overdue, told to nobody yet")}</strong>}
      {due.length > overdue && <span>{counted(due.length - overdue, "open")}</span>}
    </span>
  );
}

interface ArrivalProps {
  study: WorklistItem;
  onShow: (uid: string) => void;
  onDismiss: () => void;
}

function Arrival({ study, onShow, onDismiss }: ArrivalProps) {
  return (
    <p className="arrival" role="status">
      {`New STAT study: ${nameInWords(study.patient.name)}`}
      <button type="button" onClick={() => { onShow(study.study_instance_uid); }}>Show it</button>
      <button type="button" onClick={onDismiss}>Dismiss</button>
    </p>
  );
}

function emptyWords(filter: ListFilter): string {
  return isNarrowed(filter) ? "No study matches the filter." : "No study is open. Studies appear here as they arrive by DICOM.";
}
