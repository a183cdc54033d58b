import { useRef } from "react";
import { usePrimaryKey } from "../primary_key";

interface Props {
  imageFault: boolean;
  seenElsewhere: boolean;
  onSeenElsewhere: (seen: boolean) => void;
  /** Why it cannot be signed yet. */
  reasons: readonly string[];
  locked: boolean;
  onSign: () => void;
  onWithdraw: () => void;
}

/** What still stands before the signature (the primary key leads there), and the two ways out. */
export function EditorFoot({ imageFault, seenElsewhere, onSeenElsewhere, reasons, locked, onSign, onWithdraw }: Props) {
  const reasonList = useRef<HTMLUListElement>(null);
  usePrimaryKey(reasons.length === 0 ? onSign : () => { reasonList.current?.focus(); });
  return (
    <footer className="report-foot">
      {imageFault && (
        <label className="check">
          <input type="checkbox" checked={seenElsewhere} onChange={(event) => { onSeenElsewhere(event.target.checked); }} />
          An image is not shown here; I have viewed it on another system
        </label>
      )}
      {reasons.length > 0 && (
        <ul ref={reasonList} className="blockers" aria-label="Before signing" tabIndex={-1}>
          {reasons.map((reason) => <li key={reason}>{reason}</li>)}
        </ul>
      )}
      <button type="button" className="primary" disabled={reasons.length > 0} title="Sign (Ctrl+Enter)" onClick={onSign}>Sign…</button>
      <button type="button" disabled={locked} onClick={onWithdraw}>Withdraw…</button>
    </footer>
  );
}
