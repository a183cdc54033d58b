import { useEffect, useRef, type RefObject } from "react";
import type { DraftSentence } from "../api/types";
import { useTitle } from "../keys/keys_context";
import { numberOf, regionOf } from "./evidence";
import { useEvidence } from "./evidence_context";

/** While regions are drawn: the sentence's number, and the way to its region. It is a line of the sentence's list item. */
export function RegionLine({ sentence }: { sentence: DraftSentence }) {
  const { draft, on } = useEvidence();
  return on && draft !== null ? <Line number={numberOf(sentence)} hasRegion={regionOf(draft, numberOf(sentence)) !== null} /> : null;
}

function Line({ number, hasRegion }: { number: number; hasRegion: boolean }) {
  const { hovered, focused, act } = useEvidence();
  const line = useRef<HTMLParagraphElement>(null);
  const titleOf = useTitle("report");
  usePointing(line, number);
  return (
    <p ref={line} className="facts region-line" data-pointed={(hovered ?? focused) === number}>
      <span className="region-number"><span className="unseen">Sentence </span>{number}<span className="unseen">: </span></span>
      {hasRegion ? <button type="button" data-region={number} title={titleOf("Go to its region on the image", "g")} onClick={() => { act({ kind: "reach", number }); }}>Region<span className="unseen">{` of sentence ${number}`}</span></button> : <span>no region</span>}
    </p>
  );
}

/** The sentence with the focus, or under the pointer, is the one whose region stands out. */
function usePointing(line: RefObject<HTMLElement | null>, number: number): void {
  const { act } = useEvidence();
  useEffect(() => {
    const card = line.current?.closest("li") ?? null;
    if (card === null) return undefined;
    const told = ([
      ["focusin", { kind: "focus", number, is: true }],
      ["focusout", { kind: "focus", number, is: false }],
      ["pointerenter", { kind: "hover", number, is: true }],
      ["pointerleave", { kind: "hover", number, is: false }],
    ] as const).map(([type, change]) => [type, () => { act(change); }] as const);
    for (const [type, tell] of told) card.addEventListener(type, tell);
    if (card.contains(document.activeElement)) act({ kind: "focus", number, is: true });
    return () => { for (const [type, tell] of told) card.removeEventListener(type, tell); };
  }, [act, line, number]);
}
