import { useState } from "react";
import type { SaveState } from "./autosave";
import type { Hold, Lock } from "./lock";

/** A save that was refused because of another's lock is known before the next heartbeat. */
export function holdNow(hold: Hold, save: SaveState): Hold {
  return save.kind === "refused" && save.problem.owner !== null ? { kind: "lost", owner: save.problem.owner } : hold;
}

export function LockLine({ hold, claim, onHeld }: { hold: Hold; claim: Lock["claim"]; onHeld: () => void }) {
  const [fault, setFault] = useState<string | null>(null);
  if (hold.kind === "mine" && !hold.shaky) return null;
  if (hold.kind === "mine") return <p className="problem" role="alert">The service has not been reached for a minute: the study may be free for others. What you type stays here and is saved when the connection is back.</p>;
  const again = () => {
    setFault(null);
    claim().then(onHeld, (error: unknown) => { setFault(error instanceof Error ? error.message : String(error)); });
  };
  return (
    <div className="problem" role="alert">
      <p>{hold.kind === "lost" && hold.owner !== null ? `${hold.owner} has this study now.` : "You do not hold this study any more."} Your text is kept in this page.</p>
      {fault !== null && <p>{fault}</p>}
      <button type="button" onClick={again}>Claim it again</button>
    </div>
  );
}
