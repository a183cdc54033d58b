import type { ReactNode } from "react";
import type { Draft, DraftSentence, Flag } from "../api/types";
import { useShownDraft } from "../study/evidence_context";
import { RegionLine } from "../study/region_line";
import { confidenceInWords, RESEARCH, sourceInWords } from "../words/said";

/** Stands above every place where words of a draft can be read. */
export function DraftBanner() {
  return <p className="draft-banner" role="note">{RESEARCH}</p>;
}

export function SentenceFacts({ sentence }: { sentence: DraftSentence }) {
  return (
    <>
      <p className="facts">
        {`Draft, ${sourceInWords(sentence.source)} · `}
        <span title="How sure the model was of its words (mean token probability). It is not the chance of being right.">
          {`model confidence ${confidenceInWords(sentence.logprob)}`}
        </span>
      </p>
      <RegionLine sentence={sentence} />
    </>
  );
}

export function Flags({ flags }: { flags: readonly Flag[] }) {
  if (flags.length === 0) return null;
  return (
    <ul className="flags">
      {flags.map(({ code, reason }) => <li key={code + reason}>{`⚠ Flagged, ${code.replaceAll(/[-_]/g, " ")}: ${reason}`}</li>)}
    </ul>
  );
}

/** What wrote the draft and from what, so that it can be written again. It stands beside the draft's sentences, wherever they are. */
export function DraftFacts({ draft, children }: { draft: Draft; children?: ReactNode }) {
  useShownDraft(draft);
  const facts: [string, string][] = [
    ["Version", String(draft.version)],
    ["Model", draft.model],
    ["Weights", draft.weights_digest],
    ["Prompt", draft.prompt_version],
    ["Images", draft.image_digests.join(", ")],
  ];
  return (
    <details className="draft-facts">
      <summary>About this draft</summary>
      <dl>{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
      {children}
    </details>
  );
}
