import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { watchStudies, type Liveness } from "../api/events";

/** At most one refresh of the worklist in this time, however many studies arrive, in ms. */
const BREATH = 500;

/** Keeps worklist and open study in step with the service for as long as the component lives. */
export function useLiveStudies(): Liveness {
  const queries = useQueryClient();
  const [live, setLive] = useState<Liveness>("live");

  useEffect(() => {
    let waiting = 0;
    const refreshList = () => {
      waiting = 0;
      void queries.invalidateQueries({ queryKey: ["worklist"] });
    };
    const stop = watchStudies((event) => {
      if (waiting === 0) waiting = window.setTimeout(refreshList, BREATH);
      void queries.invalidateQueries({ queryKey: event === null ? ["study"] : ["study", event.study_instance_uid] });
      void queries.invalidateQueries({ queryKey: ["deliveries"] });
    }, setLive);
    return () => {
      window.clearTimeout(waiting);
      stop();
    };
  }, [queries]);
  return live;
}
