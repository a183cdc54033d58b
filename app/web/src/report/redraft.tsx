import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { Study } from "../api/types";
import { useServices } from "../app_context";

const REDRAFTABLE = new Set(["ready", "draft_unavailable", "not_eligible", "failed"]);

/** Asks the model once more, where the study's state allows it. */
export function Redraft({ study }: { study: Study }) {
  const { client } = useServices();
  const queries = useQueryClient();
  const uid = study.study_instance_uid;
  const ask = useMutation({
    mutationFn: () => client.redraft(uid),
    onSettled: () => queries.invalidateQueries({ queryKey: ["study", uid] }),
  });
  if (!REDRAFTABLE.has(study.state)) return null;
  return (
    <>
      <button type="button" disabled={ask.isPending} onClick={() => { ask.mutate(); }}>Ask for a new draft</button>
      {ask.isError && <p className="problem" role="alert">{ask.error.message}</p>}
    </>
  );
}
