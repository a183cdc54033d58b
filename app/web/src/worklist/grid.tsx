import { createColumnHelper, createSortedRowModel, rowSortingFeature, tableFeatures, useTable, type SortingState } from "@tanstack/react-table";
import { defaultRangeExtractor, useVirtualizer, type Range } from "@tanstack/react-virtual";
import { useCallback, useLayoutEffect, useRef, useState, type KeyboardEvent, type RefObject } from "react";
import type { WorklistItem } from "../api/types";
import { useMeaning } from "../keys/keys_context";
import { COLUMNS } from "./columns";
import { ORDERS, type SortKey } from "./order";
import { Row } from "./row";
import { useHandOn } from "./seen_list";

/** Heights as in worklist.css, in px. */
const LINE = 28;
const HEADING = 32;
const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel() });
const helper = createColumnHelper<typeof features, WorklistItem>();
/** Only what is sorted by: a column without a value of its own would never be. */
const columns = helper.columns(COLUMNS.flatMap(({ id, sort }) => (sort === undefined ? [] : [
  helper.accessor((item) => item.study_instance_uid, { id, sortFn: (a, b) => ORDERS[sort](a.original, b.original) }),
])));

interface Props {
  items: readonly WorklistItem[];
  sort: { key: SortKey; desc: boolean };
  onSort: (key: SortKey) => void;
  /** Changes where the reader asked for another list, and not where the list itself changed. */
  question: string;
  active: string | null;
  onChoose: (uid: string) => void;
  onOpen: (uid: string) => void;
  wantsFocus: RefObject<boolean>;
  now: number;
}

/** All studies of the list, of which only those in view are in the document. */
export function Grid(props: Props) {
  const { items, sort, onSort, question, active, onChoose, onOpen, wantsFocus, now } = props;
  const sorting = useSorting(sort);
  const table = useTable({ features, columns, data: items, state: { sorting }, getRowId: (item) => item.study_instance_uid });
  const rows = table.getRowModel().rows;
  const found = rows.findIndex(({ id }) => id === active);
  const current = Math.max(found, 0);
  const box = useRef<HTMLDivElement>(null);
  const meaning = useMeaning("list");
  const rangeExtractor = useCallback((range: Range) => withActive(range, current), [current]);
  // Nothing here is compiled by the React compiler, which could not.
  // eslint-disable-next-line react-hooks/incompatible-library
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => LINE,
    overscan: 12,
    scrollMargin: HEADING,
    scrollPaddingStart: HEADING,
    rangeExtractor,
  });
  useSteadyScroll(box, rows, question);
  useHandOn(rows);
  useLayoutEffect(() => {
    if (wantsFocus.current && found >= 0) virtual.scrollToIndex(found);
  });

  const moveTo = (index: number) => {
    const row = rows[Math.min(Math.max(index, 0), rows.length - 1)];
    if (row === undefined) return;
    wantsFocus.current = true;
    onChoose(row.id);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor(((box.current?.clientHeight ?? 0) - HEADING) / LINE) - 1);
    const to = TO[meaning(event) ?? ""]?.(current, page, rows.length);
    if (to === undefined) return;
    event.preventDefault();
    moveTo(to);
  };

  return (
    <div ref={box} className="grid-box" role="grid" tabIndex={-1} aria-label="Studies" aria-rowcount={rows.length + 1} aria-colcount={COLUMNS.length} onKeyDown={onKeyDown}>
      <div role="rowgroup" className="heading">
        <div role="row" aria-rowindex={1} className="line">
          {COLUMNS.map((column) => <Heading key={column.id} title={column.title} id={column.id} by={column.sort} sort={sort} onSort={onSort} />)}
        </div>
      </div>
      <div role="rowgroup" className="lines" style={{ height: `${virtual.getTotalSize()}px` }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const row = rows[index];
          return row && <Row key={row.id} item={row.original} index={index} top={start - HEADING} active={index === current} wantsFocus={wantsFocus} now={now} onChoose={onChoose} onOpen={onOpen} />;
        })}
      </div>
    </div>
  );
}

const TO: Readonly<Partial<Record<string, (at: number, page: number, count: number) => number>>> = {
  ArrowDown: (at) => at + 1,
  j: (at) => at + 1,
  ArrowUp: (at) => at - 1,
  k: (at) => at - 1,
  PageDown: (at, page) => at + page,
  PageUp: (at, page) => at - page,
  Home: () => 0,
  End: (_at, _page, count) => count - 1,
};

/** The row with the focus stays in the document wherever the list is scrolled to. */
function withActive(range: Range, active: number): number[] {
  const shown = defaultRangeExtractor(range);
  if (active >= range.count || shown.includes(active)) return shown;
  return active < (shown[0] ?? 0) ? [active, ...shown] : [...shown, active];
}

function useSorting({ key, desc }: Props["sort"]): SortingState {
  const [kept, keep] = useState<SortingState>([{ id: key, desc }]);
  if (kept[0]?.id === key && kept[0].desc === desc) return kept;
  const next = [{ id: key, desc }];
  keep(next);
  return next;
}

/** Rows that come or go above what is in view leave it where it is: nobody opens the patient that has just slid under the pointer. */
function useSteadyScroll(box: RefObject<HTMLDivElement | null>, rows: readonly { id: string }[], question: string): void {
  const before = useRef({ rows, question });
  useLayoutEffect(() => {
    const last = before.current;
    before.current = { rows, question };
    const element = box.current;
    if (element === null || last.rows === rows) return;
    if (last.question !== question) {
      element.scrollTo({ top: 0 });
      return;
    }
    if (element.scrollTop === 0) return;
    const seen = last.rows[Math.floor(element.scrollTop / LINE)]?.id;
    const at = rows.findIndex(({ id }) => id === seen);
    if (at >= 0) element.scrollTo({ top: at * LINE + (element.scrollTop % LINE) });
  }, [box, rows, question]);
}

interface HeadingProps {
  id: string;
  title: string;
  by: SortKey | undefined;
  sort: Props["sort"];
  onSort: (key: SortKey) => void;
}

function Heading({ id, title, by, sort, onSort }: HeadingProps) {
  if (by === undefined) return <div role="columnheader" className={`cell cell-${id}`}>{title}</div>;
  const direction = by !== sort.key ? undefined : sort.desc ? "descending" : "ascending";
  return (
    <div role="columnheader" aria-sort={direction ?? "none"} className={`cell cell-${id}`}>
      <button type="button" className="by" onClick={() => { onSort(by); }}>
        {title}
        <span aria-hidden="true">{direction === undefined ? "" : sort.desc ? " ▼" : " ▲"}</span>
      </button>
    </div>
  );
}
