import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { LedgerEntry, Study } from "../api/types";
import { useServices } from "../app_context";

export interface PickedPrior {
  /** What stands in the prior pane, and what stands there unless the reader picks another; null: nothing. */
  shown: LedgerEntry | null;
  home: LedgerEntry | null;
  /** The entry that is being asked for now, and the latest refusal. */
  asking: string | null;
  refused: { uid: string; words: string } | null;
  pick: (entry: LedgerEntry) => void;
  back: () => void;
}

interface Wish {
  uid: string;
  /** The entry's state as it was seen last. */
  fetch: LedgerEntry["fetch"];
}

/**
 * Which earlier study the reader has beside this one. What he sees stays until the one he asked for is there; a wish
 * that failed, or whose ledger is gone, ends there: no film comes into the pane long after it was asked for.
 */
export function usePickedPrior(study: Study): PickedPrior {
  const { client } = useServices();
  const queries = useQueryClient();
  const uid = study.study_instance_uid;
  const [picked, setPicked] = useState<string | null>(null);
  const [wish, setWish] = useState<Wish | null>(null);
  const { entries } = study.priors;
  const entryOf = (of: string | undefined) => entries.find(({ study_instance_uid }) => study_instance_uid === of) ?? null;
  const held = entryOf(picked ?? undefined);
  const wanted = entryOf(wish?.uid);
  if (picked !== null && held?.fetch !== "fetched") setPicked(null);
  if (wish !== null && wanted?.fetch !== wish.fetch) {
    if (wanted?.fetch === "fetched") setPicked(wish.uid);
    setWish(wanted?.fetch === "fetching" ? { ...wish, fetch: wanted.fetch } : null);
  }
  const home = entries.find(({ decision }) => decision === "chosen") ?? null;
  const ask = useMutation({
    mutationFn: (prior: string) => client.fetchPrior(uid, prior),
    onError: () => { setWish(null); },
    onSettled: () => queries.invalidateQueries({ queryKey: ["study", uid] }),
  });

  return {
    shown: held?.fetch === "fetched" ? held : home,
    home,
    asking: ask.isPending ? ask.variables : null,
    refused: ask.isError ? { uid: ask.variables, words: ask.error.message } : null,
    pick: ({ study_instance_uid: prior, fetch }) => {
      setWish(fetch === "fetched" ? null : { uid: prior, fetch });
      if (fetch === "fetched") setPicked(prior === home?.study_instance_uid ? null : prior);
      else ask.mutate(prior);
    },
    back: () => {
      setPicked(null);
      setWish(null);
    },
  };
}
