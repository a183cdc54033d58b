import { useEffect, useId, useRef, type ReactNode } from "react";

/** What the last act did. Another act is another object, even where it says the same. */
export interface Done {
  words: string;
}

interface Props {
  title: string;
  /** What is here, in a sentence or two. */
  about: string;
  done?: Done | null;
  /** Whether the heading takes the focus after an act: its button may be gone from the list. */
  focusOnDone?: boolean;
  fault?: Error | null;
  children: ReactNode;
}

/** A part of the page with its heading, and the place where acts and faults are told. */
export function Section({ title, about, done = null, focusOnDone = false, fault = null, children }: Props) {
  const id = useId();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (done !== null && focusOnDone) heading.current?.focus();
  }, [done, focusOnDone]);
  return (
    <section className="admin-section" aria-labelledby={id}>
      <h2 id={id} ref={heading} tabIndex={-1}>{title}</h2>
      <p className="quiet about">{about}</p>
      <p className={done === null ? "unseen" : "note"} role="status">{done?.words}</p>
      {fault !== null && <p className="problem" role="alert">{fault.message}</p>}
      {children}
    </section>
  );
}
