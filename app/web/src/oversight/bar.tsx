export interface BarPart {
  /** How it is drawn; each kind differs in form as well as in colour. */
  kind: "kept" | "changed" | "gone" | "new";
  words: string;
  count: number;
}

const WIDTH = 150;
const HEIGHT = 12;

/** The shares of a whole; their numbers stand in the cells beside it. */
export function Bar({ parts }: { parts: readonly BarPart[] }) {
  const whole = parts.reduce((sum, part) => sum + part.count, 0);
  if (whole === 0) return null;
  const placed = parts.map((part, index) => {
    const before = parts.slice(0, index).reduce((sum, { count }) => sum + count, 0);
    return { ...part, x: (WIDTH * before) / whole, width: (WIDTH * part.count) / whole };
  });
  const words = parts.map((part) => `${part.words} ${part.count}`).join(", ");
  return (
    <svg className="bar" role="img" aria-label={words} width={WIDTH} height={HEIGHT}>
      {placed.filter((part) => part.count > 0).map((part) => <Piece key={part.kind} kind={part.kind} x={part.x} width={part.width} />)}
    </svg>
  );
}

/** What the forms of a bar's parts mean. */
export function Legend({ parts }: { parts: readonly Omit<BarPart, "count">[] }) {
  return (
    <ul className="legend">
      {parts.map(({ kind, words }) => (
        <li key={kind}>
          <svg className="bar" aria-hidden="true" width={18} height={HEIGHT}><Piece kind={kind} x={0} width={18} /></svg>
          {words}
        </li>
      ))}
    </ul>
  );
}

/** Whole height, lower half, or an outline, which keeps its stroke inside. */
function Piece({ kind, x, width }: { kind: BarPart["kind"]; x: number; width: number }) {
  const inset = kind === "gone" || kind === "new" ? 1 : 0;
  const top = kind === "changed" ? HEIGHT / 2 : inset;
  return <rect className={`piece-${kind}`} x={x + inset} y={top} width={Math.max(width - 2 * inset, 1)} height={HEIGHT - top - inset} />;
}
