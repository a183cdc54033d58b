import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";
import { useServices } from "../app_context";
import { Dialog } from "../dialog";
import { Field } from "../field";
import { settle, type Act } from "./calls";
import { DEAD_LETTERS, QUEUES } from "./queues_query";
import type { DeadLetter } from "./types";
import { consequence, settledInWords, taskInWords } from "./words";

interface Props {
  act: Act;
  letter: DeadLetter;
  onClose: () => void;
  onDone: (said: string) => void;
}

/** Takes a dead letter up again or gives it up, with the reason on record; a drop is final and is asked about. */
export function SettleDialog({ act, letter, onClose, onDone }: Props) {
  const { client } = useServices();
  const queries = useQueryClient();
  const [reason, setReason] = useState("");
  const [isMeant, setMeant] = useState(act === "retry");
  const send = useMutation({
    mutationFn: () => settle(client.http, act, letter.id, reason.trim()),
    onSuccess: (settled) => { onDone(settledInWords(act, settled)); },
    onSettled: () => Promise.all([QUEUES, DEAD_LETTERS].map((queryKey) => queries.invalidateQueries({ queryKey }))),
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    send.mutate();
  };
  const name = taskInWords(letter.task);
  return (
    <Dialog title={act === "retry" ? `Try again: ${name}` : `Drop: ${name}`} onClose={onClose}>
      <form noValidate onSubmit={submit}>
        <p>Study <span className="code">{letter.study_instance_uid}</span></p>
        <p>{`It gave up because: ${letter.last_error}`}</p>
        <p>{consequence(act, letter.task)}</p>
        <Field label="Reason, for the audit chain; no patient data" name="reason" autoComplete="off" maxLength={200} value={reason} onChange={(event) => { setReason(event.target.value); }} />
        {act === "drop" && (
          <label className="check">
            <input type="checkbox" checked={isMeant} onChange={() => { setMeant(!isMeant); }} />
            Nothing will try this job again, and a drop cannot be taken back.
          </label>
        )}
        {send.isError && <p className="problem" role="alert">{send.error.message}</p>}
        <p className="buttons">
          <button type="submit" className="primary" disabled={send.isPending || reason.trim() === "" || !isMeant}>{act === "retry" ? "Try again" : "Drop for good"}</button>
          <button type="button" onClick={onClose}>Cancel</button>
        </p>
      </form>
    </Dialog>
  );
}
