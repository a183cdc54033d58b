import { useEffect, useRef, type RefObject } from "react";
import { useMeaning } from "../keys/keys_context";

interface Places {
  search: RefObject<HTMLInputElement | null>;
  chips: RefObject<HTMLButtonElement | null>;
  toList: () => void;
  /** The focus has come to something by the reader's own act or ours. */
  onFocus: () => void;
}

/** "/" to the search, F to the filters, Escape back to the list; letters only where the focus is in the list's page and nobody types (WCAG 2.1.4). */
export function useListKeys(main: RefObject<HTMLElement | null>, places: Places): void {
  const latest = useRef(places);
  const meaning = useMeaning("list");
  useEffect(() => {
    latest.current = places;
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented) return;
      if (!(event.target instanceof Element) || main.current?.contains(event.target) !== true) return;
      if (event.target.closest("dialog") !== null) return;
      if (act(meaning(event), event.target, latest.current)) event.preventDefault();
    };
    const onFocus = () => { latest.current.onFocus(); };
    window.addEventListener("keydown", onKeyDown);
    window.addEventListener("focusin", onFocus);
    return () => {
      window.removeEventListener("keydown", onKeyDown);
      window.removeEventListener("focusin", onFocus);
    };
  }, [main, meaning]);
}

function act(key: string | undefined, target: Element, places: Places): boolean {
  const inSearch = target === places.search.current;
  if (key === "Escape" || (inSearch && (key === "Enter" || key === "ArrowDown"))) {
    places.toList();
    return true;
  }
  if (target.matches("input, select, textarea")) return false;
  if (key === "/") places.search.current?.focus();
  else if (key === "f") places.chips.current?.focus();
  else return false;
  return true;
}
