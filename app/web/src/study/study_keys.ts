import { useEffect, useRef } from "react";
import { isCommandPlace } from "../report/panel_keys";

/** A letter that works everywhere in the open study, except where text is typed or a dialog is open (WCAG 2.1.4). */
export function useStudyKey(key: string, action: (from: Element) => void): void {
  const latest = useRef(action);
  useEffect(() => {
    latest.current = action;
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented || event.key.toLowerCase() !== key) return;
      if (!isCommandPlace(event.target) || event.target.closest(".study") === null) return;
      event.preventDefault();
      latest.current(event.target);
    };
    window.addEventListener("keydown", onKeyDown);
    return () => { window.removeEventListener("keydown", onKeyDown); };
  }, [key]);
}
