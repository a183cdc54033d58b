import { useCallback, useEffect, useState } from "react";

/**
 * Where the reader is. Study UIDs stay in this page's memory: the browser's history gets a bare number, so that
 * neither the address, nor the history file, nor a bookmark can name a study. A reload starts at the worklist.
 */
export function usePlace(): { study: string | null; last: string | null; openStudy: (uid: string) => void; leaveStudy: () => void } {
  const [visited] = useState<string[]>(() => []);
  const [study, setStudy] = useState<string | null>(null);
  const [last, setLast] = useState<string | null>(null);

  useEffect(() => {
    window.history.replaceState({ place: -1 }, "");
    const onPop = (event: PopStateEvent) => { setStudy(visited[placeOf(event.state)] ?? null); };
    window.addEventListener("popstate", onPop);
    return () => { window.removeEventListener("popstate", onPop); };
  }, [visited]);

  const openStudy = useCallback((uid: string) => {
    visited.push(uid);
    window.history.pushState({ place: visited.length - 1 }, "");
    setStudy(uid);
    setLast(uid);
  }, [visited]);
  const leaveStudy = useCallback(() => {
    window.history.pushState({ place: -1 }, "");
    setStudy(null);
  }, []);
  return { study, last, openStudy, leaveStudy };
}

function placeOf(state: unknown): number {
  const place = typeof state === "object" && state !== null && "place" in state ? state.place : -1;
  return typeof place === "number" ? place : -1;
}
