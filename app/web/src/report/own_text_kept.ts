import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import type { Report, Study } from "../api/types";
import type { SaveState } from "./autosave";

/** A second reader's saved words may open the draft: the study is asked again. */
export function useOwnTextKept(study: Study, report: Report, save: SaveState): void {
  const queries = useQueryClient();
  const waits = report.reading_mode === "second-reader" && study.reading.draft === "withheld";
  const savedAt = save.kind === "saved" ? save.at : null;
  const uid = study.study_instance_uid;
  useEffect(() => {
    if (waits && savedAt !== null) void queries.invalidateQueries({ queryKey: ["study", uid] });
  }, [queries, savedAt, uid, waits]);
}
