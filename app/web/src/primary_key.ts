import { useEffect, useRef } from "react";

/**
 * Ctrl+Enter does what the view's primary button does, from anywhere in it; with `action` null it does nothing.
 * A control that uses the keys itself marks the event as handled; of two views on one page the upper one takes it.
 */
export function usePrimaryKey(action: (() => void) | null): void {
  const latest = useRef(action);
  useEffect(() => {
    latest.current = action;
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.defaultPrevented) return;
      if (latest.current === null || document.querySelector("dialog[open]") !== null) return;
      event.preventDefault();
      latest.current();
    };
    window.addEventListener("keydown", onKeyDown);
    return () => { window.removeEventListener("keydown", onKeyDown); };
  }, []);
}
