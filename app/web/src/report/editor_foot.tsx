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

/** What still stands before the signature, and the two ways out. */
export function EditorFoot({ imageFault, seenElsewhere, onSeenElsewhere, reasons, locked, onSign, onWithdraw }: Props) {
  return (
    <footer className="report-foot">
      {imageFault && (
        <label className="check">
          <input type="checkbox" checked={seenElsewhere} onChange={(event) => { onSeenElsewhere(event.target.checked); }} />
          An image is not shown here; I have viewed it on another system
        </label>
      )}
      {reasons.length > 0 && <ul className="blockers" aria-label="Before signing">{reasons.map((reason) => <li key={reason}>{reason}</li>)}</ul>}
      <button type="button" className="primary" disabled={reasons.length > 0} title="Sign (Ctrl+Enter)" onClick={onSign}>Sign…</button>
      <button type="button" disabled={locked} onClick={onWithdraw}>Withdraw…</button>
    </footer>
  );
}
