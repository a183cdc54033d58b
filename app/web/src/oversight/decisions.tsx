import type { DecisionCounts, Oversight } from "../api/types";
import { Bar, Legend, type BarPart } from "./bar";
import { FigureTable, Share, type FigureRow } from "./figure_table";
import { byFrequency, classInWords, drafted, flagInWords, inDigits, percent } from "./wording";

const KINDS = [
  { kind: "kept", words: "Accepted", of: "accepted" },
  { kind: "changed", words: "Edited", of: "edited" },
  { kind: "gone", words: "Rejected", of: "rejected" },
] as const;

/** What the readers did with the draft's sentences, by what the sentences speak of. */
export function DecisionsByFinding({ decisions }: { decisions: Oversight["decisions"] }) {
  const { by_class, mentions, sentences } = decisions;
  const cells = (counted: DecisionCounts) => [...decided(counted, mentions), inDigits(counted.added)];
  const rows = byFrequency(by_class, drafted).map((row) => ({ key: row.finding_class, head: classInWords(row.finding_class), cells: cells(row) }));
  return (
    <section aria-labelledby="by-finding">
      <h2 id="by-finding">Accepted, edited and rejected, by finding</h2>
      <p className="meaning">
        Each sentence of a draft is counted under every finding that it speaks of, present or not: “No pneumothorax.” counts under pneumothorax. One that speaks of
        several findings counts under each; one that speaks of none, under “No finding stated”. A draft’s sentence counts by the draft’s wording, also when it was
        edited. Added: sentences that a reader marked as his own; they are no part of the shares, which are of the draft’s sentences.
      </p>
      <Legend parts={KINDS} />
      <FigureTable
        caption="Readers’ decisions by finding"
        columns={["Finding", ...decidedColumns(mentions), "Added"]}
        rows={rows}
        totals={[
          { key: "mentions", head: "Sum of the lines above", cells: cells(mentions) },
          { key: "sentences", head: "Sentences, each counted once", cells: cells(sentences) },
        ]}
      />
    </section>
  );
}

/** What the readers did with the sentences that the guardrails had flagged. */
export function FlagDecisions({ flags }: { flags: Oversight["flags"] }) {
  const { by_code, flagged_sentences, draft_sentences } = flags;
  const all = { pending: by_code.reduce((sum, { pending }) => sum + pending, 0) };
  const rows = by_code.map((row): FigureRow => ({ key: row.code, head: flagInWords(row.code), cells: decided(row, all) }));
  return (
    <section aria-labelledby="by-flag">
      <h2 id="by-flag">Guard flags, and what became of flagged sentences</h2>
      <p>
        {draft_sentences === 0
          ? "No draft had a sentence that could be flagged."
          : `${inDigits(flagged_sentences)} of ${inDigits(draft_sentences)} draft sentences (${percent(flagged_sentences, draft_sentences)}) had a flag.`}
      </p>
      <p className="meaning">
        A flag is an objection that the service’s own checks put beside a sentence before a reader saw it. A sentence with several flags counts under each of them, so
        that the lines may add up to more than the flagged sentences.
      </p>
      {by_code.length > 0 && (
        <>
          <Legend parts={KINDS} />
          <FigureTable caption="Readers’ decisions on flagged sentences" columns={["Flag", ...decidedColumns(all)]} rows={rows} />
        </>
      )}
    </section>
  );
}

/** Undecided sentences cannot be signed; were there any, the sums would need their column. */
function decidedColumns({ pending }: { pending: number }): string[] {
  return ["Draft sentences", ...KINDS.map(({ words }) => words), ...(pending > 0 ? ["Undecided"] : []), "Shares"];
}

function decided(counted: DecisionCounts, { pending }: { pending: number }) {
  const whole = drafted(counted);
  const parts: BarPart[] = KINDS.map(({ kind, words, of }) => ({ kind, words: words.toLowerCase(), count: counted[of] }));
  return [
    inDigits(whole),
    ...parts.map(({ kind, count }) => <Share key={kind} count={count} of={whole} />),
    ...(pending > 0 ? [<Share key="pending" count={counted.pending} of={whole} />] : []),
    <Bar key="bar" parts={parts} />,
  ];
}
