import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { watchStudies, type Liveness } from "../api/events";
import { useServices } from "../app_context";
import { Patches } from "../worklist/patches";

const WORDS: Readonly<Record<Liveness, string>> = { live: "Live", polling: "Not live: asking every 10 s" };

/** Keeps worklist and open study in step with the service for as long as it is on the page, and says whether it does. */
export function LiveStudies() {
  const queries = useQueryClient();
  const { client } = useServices();
  const [live, setLive] = useState<Liveness>("live");

  useEffect(() => {
    const patches = new Patches(queries, client);
    const stop = watchStudies((event) => {
      patches.note(event?.study_instance_uid ?? null);
      void queries.invalidateQueries({ queryKey: event === null ? ["study"] : ["study", event.study_instance_uid] });
      void queries.invalidateQueries({ queryKey: ["deliveries"] });
    }, setLive);
    return () => {
      stop();
      patches.stop();
    };
  }, [queries, client]);
  return <span className={`liveness liveness-${live}`} role="status">{WORDS[live]}</span>;
}
