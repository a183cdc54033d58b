import { memo, useEffect, useRef, type RefObject } from "react";
import type { WorklistItem } from "../api/types";
import { nameInWords } from "../words/person";
import { COLUMNS } from "./columns";
import { isFinished } from "./order";

interface Props {
  item: WorklistItem;
  /** Among the rows of the list, from 0. */
  index: number;
  /** From the top of the list, in px. */
  top: number;
  /** The one that keys act on. */
  active: boolean;
  /** Set where the focus should go to the active row once it is drawn. */
  wantsFocus: RefObject<boolean>;
  now: number;
  onChoose: (uid: string) => void;
  onOpen: (uid: string) => void;
}

/** One study. The patient's name opens it; a double click anywhere in the row does too. */
export const Row = memo(function Row({ item, index, top, active, wantsFocus, now, onChoose, onOpen }: Props) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!active || !wantsFocus.current) return;
    wantsFocus.current = false;
    button.current?.focus({ preventScroll: true });
  });
  const uid = item.study_instance_uid;
  return (
    // The heading row counts as the first (ARIA 1.2 aria-rowindex). Keys are the grid's business.
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events
    <div
      role="row"
      tabIndex={-1}
      aria-rowindex={index + 2}
      aria-selected={active}
      className={isFinished(item.state) ? "line line-finished" : "line"}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => { onChoose(uid); button.current?.focus({ preventScroll: true }); }}
      onDoubleClick={() => { onOpen(uid); }}
    >
      {COLUMNS.map(({ id, cell }) => (
        <div key={id} role={id === "patient" ? "rowheader" : "gridcell"} className={`cell cell-${id}`}>
          {id === "patient" ? (
            <button ref={button} type="button" className="open" title={nameInWords(item.patient.name)} tabIndex={active ? 0 : -1} onClick={() => { onOpen(uid); }}>{cell(item, now)}</button>
          ) : cell(item, now)}
        </div>
      ))}
    </div>
  );
});
