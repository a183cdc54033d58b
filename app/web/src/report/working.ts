import { useEffect, useReducer, useRef } from "react";
import type { Draft } from "../api/types";
import type { Autosave } from "./autosave";
import { acted, type Act, type Decided } from "./decisions";
import { isSame, textOf, workOf, written } from "./work";

/** The work of a report, handed to the saver at each change that alters what would be saved. */
export function useWork(saver: Autosave, draft: Draft | null): [Decided, (act: Act) => void] {
  const [decided, dispatch] = useReducer(acted, null, () => ({ work: workOf(saver.unsaved ?? textOf(saver.saved), draft), past: [] }));
  const { work } = decided;
  const handed = useRef(written(work));
  useEffect(() => {
    const text = written(work);
    if (isSame(text, handed.current)) return;
    handed.current = text;
    saver.change(text);
  }, [saver, work]);
  useEffect(() => {
    saver.retry();
    const onHide = () => {
      if (document.visibilityState === "hidden") saver.flush().catch(() => undefined);
    };
    const onUnload = (event: BeforeUnloadEvent) => {
      if (saver.unsaved !== null) event.preventDefault();
    };
    document.addEventListener("visibilitychange", onHide);
    window.addEventListener("beforeunload", onUnload);
    return () => {
      document.removeEventListener("visibilitychange", onHide);
      window.removeEventListener("beforeunload", onUnload);
    };
  }, [saver]);
  return [decided, dispatch];
}
