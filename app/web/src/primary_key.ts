import { useEffect, useRef } from "react";

/**
 * Ctrl+Enter does what the view's primary button does, from anywhere in it; with `action` null it does nothing.
 * A control that uses the keys itself marks the event as handled.
 */
export function usePrimaryKey(action: (() => void) | null): void {
  const latest = useRef(action);
  useEffect(() => {
    latest.current = action;
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.defaultPrevented) return;
      if (document.querySelector("dialog[open]") === null) latest.current?.();
    };
    window.addEventListener("keydown", onKeyDown);
    return () => { window.removeEventListener("keydown", onKeyDown); };
  }, []);
}
