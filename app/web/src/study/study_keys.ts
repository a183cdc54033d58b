import { useEffect, useRef } from "react";
import { useMeaning } from "../keys/keys_context";
import { isCommandPlace } from "../report/panel_keys";

/** An act that works everywhere in the open study, except where text is typed or a dialog is open (WCAG 2.1.4). key: the page's own. */
export function useStudyKey(key: string, action: (from: Element) => void): void {
  const latest = useRef(action);
  const meaning = useMeaning("study");
  useEffect(() => {
    latest.current = action;
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || meaning(event) !== key) return;
      if (!isCommandPlace(event.target) || event.target.closest(".study") === null) return;
      event.preventDefault();
      latest.current(event.target);
    };
    window.addEventListener("keydown", onKeyDown);
    return () => { window.removeEventListener("keydown", onKeyDown); };
  }, [key, meaning]);
}
