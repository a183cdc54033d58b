import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useState } from "react";
import type { Report, Study } from "../api/types";
import { mayReport, useServices } from "../app_context";
import { isSigned, isWithdrawn } from "../words/said";
import { Editor } from "./editor";
import { useLock } from "./lock";
import { Reading } from "./reading";
import { useSavedTexts } from "./saved_texts";
import { SignedView } from "./signed_view";
import { WithdrawDialog } from "./withdraw_dialog";
import { isWithheld } from "./withheld";

/** The report of a study in whichever condition it is: to be started, being written, read only, or signed. */
export function ReportPanel({ study, imageFault }: { study: Study; imageFault: boolean }) {
  const { client, reader } = useServices();
  const queries = useQueryClient();
  const uid = study.study_instance_uid;
  const lock = useLock(uid);
  useSavedTexts(mayReport(reader)); // before the editor opens: a shortcut typed at once finds its text
  const [editing, setEditing] = useState<Report | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const kept = study.report !== null && !isWithdrawn(study.report.status) ? study.report : null;
  const saved = useQuery({ queryKey: ["report", kept?.id, kept?.etag], queryFn: () => client.report(kept?.id ?? ""), enabled: kept !== null });
  const withheld = isWithheld(saved.error) || (kept === null && study.reading.draft === "withheld" && study.current_draft !== null);
  const draftId = editing?.draft_id ?? (kept === null ? study.current_draft?.id : saved.data?.draft_id) ?? null;
  const draft = useQuery({ queryKey: ["draft", draftId], queryFn: () => client.draft(draftId ?? ""), enabled: draftId !== null && (editing !== null || !withheld) });
  const [isWithdrawing, setWithdrawing] = useState(false);
  const isKeptFromReader = withheld || isWithheld(draft.error);
  // A report that was withheld is asked for again once the reader has looked.
  const { refetch } = saved;
  const mayAskAgain = study.reading.draft === "shown" && isWithheld(saved.error);
  useEffect(() => { if (mayAskAgain) void refetch(); }, [mayAskAgain, refetch]);

  const start = useCallback(async (fromDraft: string | null) => {
    setFault(null);
    try {
      await lock.claim();
      setEditing(kept === null ? await client.startReport(uid, fromDraft) : await client.report(kept.id));
      void queries.invalidateQueries({ queryKey: ["study", uid] });
    } catch (error) {
      if (isWithheld(error)) void queries.invalidateQueries({ queryKey: ["study", uid] });
      setFault(error instanceof Error ? error.message : String(error));
    }
  }, [client, kept, lock, queries, uid]);

  const onGoOver = useCallback((to: string | null) => {
    const done = (report: Report) => {
      setFault(null);
      setEditing(report);
    };
    const failed = (error: unknown) => {
      setFault(error instanceof Error ? error.message : String(error));
      void queries.invalidateQueries({ queryKey: ["study", uid] });
    };
    client.startReport(uid, to).then(done, failed);
  }, [client, queries, uid]);

  const onFinished = useCallback(() => {
    setEditing(null);
    lock.drop();
    for (const queryKey of [["study", uid], ["report"], ["worklist"]]) void queries.invalidateQueries({ queryKey });
  }, [lock, queries, uid]);

  if (kept !== null && isSigned(kept.status)) return <SignedView study={study} reportId={kept.id} etag={kept.etag} />;
  const waitsForDraft = editing !== null && editing.draft_id !== null && draft.data?.id !== editing.draft_id;
  if (editing !== null && !waitsForDraft) {
    return (
      <Editor
        key={editing.id + editing.etag}
        study={study}
        draft={editing.draft_id === null ? null : (draft.data ?? null)}
        report={editing}
        lock={lock}
        imageFault={imageFault}
        fault={fault}
        onGoOver={onGoOver}
        onFinished={onFinished}
      />
    );
  }
  const faults = [draft.error, saved.error].filter((error) => error !== null && !isWithheld(error));
  return (
    <>
      <Reading
        study={study}
        draft={isKeptFromReader ? null : (draft.data ?? null)}
        report={kept === null ? null : (saved.data ?? null)}
        loading={!isKeptFromReader && ((draftId !== null && draft.isPending) || (kept !== null && saved.isPending))}
        fault={fault ?? faults[0]?.message ?? null}
        withheld={isKeptFromReader}
        onStart={mayReport(reader) ? (fromDraft) => void start(fromDraft) : null}
        onWithdraw={mayReport(reader) && isWithheld(saved.error) ? () => { setWithdrawing(true); } : null}
      />
      {isWithdrawing && kept !== null && <WithdrawDialog reportId={kept.id} saver={null} onClose={() => { setWithdrawing(false); }} onWithdrawn={() => { setWithdrawing(false); onFinished(); }} />}
    </>
  );
}
