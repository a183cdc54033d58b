import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef } from "react";
import type { Reading, Study } from "../api/types";
import { useServices } from "../app_context";

const AGAIN = 5_000;

/** Tells the service of each image that was really on the screen; once each, in order, until it is known there. */
export function useViewReceipts(study: Study): (sopInstanceUid: string) => void {
  const { client } = useServices();
  const uid = study.study_instance_uid;
  const toReading = useReading(uid);
  const told = useRef(new Set(study.reading.viewed));
  const line = useRef<Promise<void>>(Promise.resolve());
  const isOpen = useRef(true);
  useEffect(() => {
    isOpen.current = true;
    return () => { isOpen.current = false; };
  }, []);

  return useCallback((sop: string) => {
    if (told.current.has(sop)) return;
    told.current.add(sop);
    const tell = async (): Promise<void> => {
      try {
        toReading(await client.viewed(uid, sop));
      } catch {
        // Without the receipt the draft stays withheld, and the list of what is not seen yet says so.
        await new Promise((resolve) => { setTimeout(resolve, AGAIN); });
        if (isOpen.current) await tell();
      }
    };
    line.current = line.current.then(tell);
  }, [client, toReading, uid]);
}

/** Takes over what the service says of the reader's place in the study. */
export function useReading(uid: string): (reading: Reading) => void {
  const queries = useQueryClient();
  return useCallback((reading: Reading) => {
    queries.setQueryData<Study>(["study", uid], (study) => study && { ...study, reading });
  }, [queries, uid]);
}
