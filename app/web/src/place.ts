import { useCallback, useEffect, useState } from "react";
import { PAGES, type PageName } from "./pages";

interface Place {
  page: PageName;
  /** The part of the page that was opened, by its name; null for its first. */
  part: string | null;
  study: string | null;
  /** The study opened last. */
  last: string | null;
  openStudy: (uid: string) => void;
  openPage: (page: PageName) => void;
  openPart: (part: string) => void;
}

/**
 * Where the reader is. Study UIDs stay in this page's memory: the browser's history gets a bare number or the names of a page and
 * its part, so that neither the address, nor the history file, nor a bookmark can name a study. A reload starts at `home`.
 */
export function usePlace(home: PageName): Place {
  const [visited] = useState<string[]>(() => []);
  const [page, setPage] = useState(home);
  const [part, setPart] = useState<string | null>(null);
  const [study, setStudy] = useState<string | null>(null);
  const [last, setLast] = useState<string | null>(null);

  useEffect(() => {
    window.history.replaceState({ place: home }, "");
    const onPop = (event: PopStateEvent) => {
      const { place, part: named } = placeOf(event.state);
      setStudy(typeof place === "number" ? visited[place] ?? null : null);
      setPage(PAGES.find((one) => one.name === place)?.name ?? home);
      setPart(typeof named === "string" ? named : null);
    };
    window.addEventListener("popstate", onPop);
    return () => { window.removeEventListener("popstate", onPop); };
  }, [home, visited]);

  const openStudy = useCallback((uid: string) => {
    visited.push(uid);
    window.history.pushState({ place: visited.length - 1 }, "");
    setStudy(uid);
    setLast(uid);
  }, [visited]);
  const openPage = useCallback((next: PageName) => {
    window.history.pushState({ place: next }, "");
    setStudy(null);
    setPage(next);
    setPart(null);
  }, []);
  const openPart = useCallback((next: string) => {
    window.history.pushState({ place: page, part: next }, "");
    setPart(next);
  }, [page]);
  return { page, part, study, last, openStudy, openPage, openPart };
}

function placeOf(state: unknown): { place?: unknown; part?: unknown } {
  return typeof state === "object" && state !== null ? state : {};
}
