import { useMutation } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";
import { useServices } from "../app_context";
import { Dialog } from "../dialog";
import { Field } from "../field";
import type { Autosave } from "./autosave";

interface Props {
  reportId: string;
  /** Keeps the unsaved text; null where nothing was written here. */
  saver: Autosave | null;
  onClose: () => void;
  onWithdrawn: () => void;
}

/** Gives up an unsigned report, with the reason on record. The text is saved first, so that the record has it. */
export function WithdrawDialog({ reportId, saver, onClose, onWithdrawn }: Props) {
  const { client } = useServices();
  const [reason, setReason] = useState("");
  const withdraw = useMutation({
    mutationFn: async () => {
      await saver?.flush();
      await client.rejectReport(reportId, reason);
    },
    onSuccess: onWithdrawn,
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    withdraw.mutate();
  };
  return (
    <Dialog title="Withdraw this report" onClose={onClose}>
      <form onSubmit={submit}>
        <p>The study goes back to be read. The withdrawn text stays in the record and is not sent.</p>
        <Field label="Reason" name="reason" required maxLength={500} value={reason} onChange={(event) => { setReason(event.target.value); }} />
        {withdraw.isError && <p className="problem" role="alert">{withdraw.error.message}</p>}
        <p className="buttons">
          <button type="submit" disabled={withdraw.isPending || reason.trim() === ""}>Withdraw</button>
          <button type="button" onClick={onClose}>Cancel</button>
        </p>
      </form>
    </Dialog>
  );
}
