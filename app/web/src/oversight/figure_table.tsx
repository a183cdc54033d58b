import { useId, type ReactNode } from "react";
import { inDigits, percent } from "./wording";

export interface FigureRow {
  key: string;
  head: ReactNode;
  /** One for each column but the first. */
  cells: readonly ReactNode[];
}

interface Props {
  caption: string;
  columns: readonly string[];
  rows: readonly FigureRow[];
  totals?: readonly FigureRow[];
}

/** A table of numbers, by itself scrollable where the window is narrower. */
export function FigureTable({ caption, columns, rows, totals = [] }: Props) {
  const id = useId();
  return (
    // The arrow keys scroll only what can have the focus.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="figures-box" role="region" aria-labelledby={id} tabIndex={0}>
      <table className="figures">
        <caption id={id}>{caption}</caption>
        <thead>
          <tr>{columns.map((column) => <th key={column} scope="col">{column}</th>)}</tr>
        </thead>
        <tbody>{rows.map(line)}</tbody>
        {totals.length > 0 && <tfoot>{totals.map(line)}</tfoot>}
      </table>
    </div>
  );
}

/** A count, with what share of a whole it is; none where there is no whole. */
export function Share({ count, of }: { count: number; of: number }) {
  return <>{inDigits(count)} <span className="share">{of > 0 && `(${percent(count, of)})`}</span></>;
}

function line({ key, head, cells }: FigureRow) {
  return (
    <tr key={key}>
      <th scope="row">{head}</th>
      {cells.map((cell, index) => <td key={index}>{cell}</td>)}
    </tr>
  );
}
