import { useState } from "react";

export interface Pages<Cursor> {
  /** `after` of the page that is shown; null on the first. */
  after: Cursor | null;
  /** Its number, from 1. */
  number: number;
  forward: (next: Cursor) => void;
  back: () => void;
  restart: () => void;
}

/** The way through a list that tells only where its next page begins. */
export function usePages<Cursor>(): Pages<Cursor> {
  const [way, setWay] = useState<readonly Cursor[]>([]);
  return {
    after: way.at(-1) ?? null,
    number: way.length + 1,
    forward: (next) => { setWay([...way, next]); },
    back: () => { setWay(way.slice(0, -1)); },
    restart: () => { setWay([]); },
  };
}

interface Props<Cursor> {
  name: string;
  pages: Pages<Cursor>;
  next: Cursor | null;
  busy: boolean;
  /** Called after a turn, to bring the reader to the top of the list. */
  onTurn: () => void;
}

/** Nothing where there is but one page. */
export function Pager<Cursor>({ name, pages, next, busy, onTurn }: Props<Cursor>) {
  if (pages.number === 1 && next === null) return null;
  const turn = (step: () => void) => () => {
    step();
    onTurn();
  };
  return (
    <nav className="pager" aria-label={name}>
      <button type="button" disabled={busy || pages.number === 1} onClick={turn(pages.back)}>Previous page</button>
      <span role="status">{`Page ${pages.number}`}</span>
      <button type="button" disabled={busy || next === null} onClick={turn(() => { if (next !== null) pages.forward(next); })}>Next page</button>
    </nav>
  );
}
