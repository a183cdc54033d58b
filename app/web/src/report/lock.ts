import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { Problem } from "../api/http";
import { useServices } from "../app_context";

/** The lease lives 60 s on the service; it is renewed four times in that. */
const HEARTBEAT = 15_000;
const LEASE = 60_000;

export type Hold =
  | { kind: "none" }
  | { kind: "mine"; shaky: boolean }
  /** Held once, now somebody else's or lapsed. */
  | { kind: "lost"; owner: string | null };

export interface Lock {
  hold: Hold;
  /** Takes the study for writing. Raises Problem (409, with the owner) when another reader has it. */
  claim: () => Promise<void>;
  /** Stops renewing without asking the service, when signing has ended the lease. */
  drop: () => void;
}

/** The reader's hold on one study: renewed while it lasts, given back when the component goes, after the text is saved. */
export function useLock(uid: string): Lock {
  const { client, desk } = useServices();
  const queries = useQueryClient();
  const [hold, setHold] = useState<Hold>({ kind: "none" });
  const renewed = useRef(0);
  const isMine = hold.kind === "mine";

  const claim = useCallback(async () => {
    await client.claim(uid);
    renewed.current = Date.now();
    setHold({ kind: "mine", shaky: false });
  }, [client, uid]);

  const drop = useCallback(() => { setHold({ kind: "none" }); }, []);

  useEffect(() => {
    if (!isMine) return undefined;
    const beat = () => {
      claim().catch((error: unknown) => {
        if (error instanceof Problem && error.status === 409) {
          setHold({ kind: "lost", owner: error.owner });
          void queries.invalidateQueries({ queryKey: ["study", uid] });
        } else {
          setHold({ kind: "mine", shaky: Date.now() - renewed.current > LEASE });
        }
      });
    };
    const timer = window.setInterval(beat, HEARTBEAT);
    const giveBack = () => void client.release(uid).catch(() => undefined);
    const onHide = () => {
      if (!desk.hasUnsaved) giveBack();
    };
    window.addEventListener("pagehide", onHide);
    return () => {
      window.clearInterval(timer);
      window.removeEventListener("pagehide", onHide);
      void desk.flush().then(giveBack);
    };
  }, [isMine, claim, client, desk, queries, uid]);

  return { hold, claim, drop };
}
