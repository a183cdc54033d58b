import { useId, type ReactNode, type Ref } from "react";

interface Props {
  caption: string;
  /** Headings of the columns; those of numbers are given apart. */
  heads: readonly string[];
  numbers?: readonly string[];
  box?: Ref<HTMLDivElement>;
  children: ReactNode;
}

/** A table with a caption, in a box that scrolls sideways by itself where the window is narrow. */
export function Table({ caption, heads, numbers = [], box, children }: Props) {
  const id = useId();
  return (
    // It may scroll, and a table without a control in it has no other way in for the keys.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="table-box" role="region" aria-labelledby={id} tabIndex={0} ref={box}>
      <table>
        <caption id={id}>{caption}</caption>
        <thead>
          <tr>{heads.map((head) => <th key={head} scope="col" className={numbers.includes(head) ? "number" : undefined}>{head}</th>)}</tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
