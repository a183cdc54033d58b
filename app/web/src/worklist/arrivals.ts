import { useCallback, useState } from "react";
import type { WorklistItem } from "../api/types";
import { isFinished } from "./order";

/** The latest STAT study that came while the list was on the screen; `settled`: the list is complete, so that what is new is new. */
export function useArrivals(items: readonly WorklistItem[], settled: boolean): { study: WorklistItem | null; dismiss: () => void } {
  const [known, setKnown] = useState<{ items: readonly WorklistItem[]; uids: ReadonlySet<string> } | null>(null);
  const [study, setStudy] = useState<WorklistItem | null>(null);
  if (settled && known?.items !== items) {
    const fresh = known === null ? undefined : items.find((item) => isStat(item) && !known.uids.has(item.study_instance_uid));
    setKnown({ items, uids: new Set(items.map((item) => item.study_instance_uid)) });
    if (fresh !== undefined) setStudy(fresh);
  }
  const dismiss = useCallback(() => { setStudy(null); }, []);
  return { study, dismiss };
}

function isStat(item: WorklistItem): boolean {
  return item.urgency === "stat" && !isFinished(item.state);
}
