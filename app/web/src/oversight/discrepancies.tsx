import type { Discrepancy, DiscrepancyGroup, Oversight, OversightBy } from "../api/types";
import { Bar, Legend, type BarPart } from "./bar";
import { FigureTable, Share, type FigureRow } from "./figure_table";
import { byFrequency, classInWords, GROUPINGS, inDigits } from "./wording";

const SENTENCES = [
  { kind: "kept", words: "Unchanged", of: "unchanged" },
  { kind: "changed", words: "Reworded", of: "reworded" },
  { kind: "gone", words: "Deleted", of: "deleted" },
] as const;
const FINDINGS = [
  { kind: "kept", words: "In both texts" },
  { kind: "gone", words: "Only in the draft" },
  { kind: "new", words: "Only in the signed report" },
] as const;
/** Of 64 characters. */
const DIGEST_SHOWN = 12;

interface Props {
  told: Oversight["discrepancy"];
  /** What was asked for last; the figures of it may still be on their way. */
  by: OversightBy;
  onBy: (by: OversightBy) => void;
}

/** Draft against signed text: how much of the wording stood, and which findings. */
export function Discrepancies({ told, by, onBy }: Props) {
  return (
    <section aria-labelledby="discrepancy">
      <h2 id="discrepancy">Draft against signed text</h2>
      {told.total.reports === 0 ? <p>None of these reports rests on a draft.</p> : (
        <>
          <div className="chips" role="group" aria-label="Group by">
            <span aria-hidden="true">Group by</span>
            {Object.entries(GROUPINGS).map(([name, { words }]) => (
              <button key={name} type="button" className="chip" aria-pressed={name === by} onClick={() => { onBy(name as OversightBy); }}>{words}</button>
            ))}
          </div>
          <p className="meaning">{GROUPINGS[told.by].meaning}</p>
          <SentencesByGroup told={told} />
          <FindingsByGroup told={told} />
          <FindingsByClass told={told} />
        </>
      )}
    </section>
  );
}

function SentencesByGroup({ told }: { told: Oversight["discrepancy"] }) {
  const { group } = GROUPINGS[told.by];
  const cells = (one: Discrepancy) => [
    inDigits(one.reports),
    inDigits(one.draft_sentences),
    ...SENTENCES.map(({ kind, of }) => <Share key={kind} count={one[of]} of={one.draft_sentences} />),
    <Bar key="bar" parts={SENTENCES.map(({ kind, words, of }) => ({ kind, words: words.toLowerCase(), count: one[of] }))} />,
    <Share key="added" count={one.added} of={one.signed_sentences} />,
    inDigits(one.signed_sentences),
  ];
  return (
    <>
      <h3>Sentences</h3>
      <p className="meaning">
        Here the texts count, not what was pressed: an edit that changed no word is unchanged. Unchanged, reworded and deleted add up to the draft’s sentences; unchanged,
        reworded and added to those of the signed report. The share of added is of the signed sentences.
      </p>
      <Legend parts={SENTENCES} />
      <FigureTable
        caption={`Sentences of draft and signed report, by ${group.toLowerCase()}`}
        columns={[group, "Reports", "Draft sentences", ...SENTENCES.map(({ words }) => words), "Shares", "Added", "Signed sentences"]}
        rows={told.groups.map((one) => groupRow(one, cells(one)))}
        totals={[{ key: "total", head: "All reports on a draft", cells: cells(told.total) }]}
      />
    </>
  );
}

function FindingsByGroup({ told }: { told: Oversight["discrepancy"] }) {
  const { group } = GROUPINGS[told.by];
  const cells = (one: Discrepancy) => [inDigits(one.reports), ...compared([one.findings_in_both, one.findings_only_in_draft, one.findings_only_in_signed])];
  return (
    <>
      <h3>Findings</h3>
      <p className="meaning">
        A finding is a condition with its side that a text calls present or possible; “no effusion” is none. It counts once for each report and text, however often it is
        said. An effusion on the left in the draft and on the right in the signed report is one only in the draft and one only in the signed report.
      </p>
      <Legend parts={FINDINGS} />
      <FigureTable
        caption={`Findings of draft and signed report, by ${group.toLowerCase()}`}
        columns={[group, "Reports", ...comparedColumns()]}
        rows={told.groups.map((one) => groupRow(one, cells(one)))}
        totals={[{ key: "total", head: "All reports on a draft", cells: cells(told.total) }]}
      />
    </>
  );
}

function FindingsByClass({ told }: { told: Oversight["discrepancy"] }) {
  const { total } = told;
  const rows = byFrequency(told.findings, (row) => row.in_both + row.only_in_draft + row.only_in_signed);
  return (
    <FigureTable
      caption="Findings of draft and signed report, by condition"
      columns={["Condition", ...comparedColumns()]}
      rows={rows.map((row) => ({ key: row.finding_class, head: classInWords(row.finding_class), cells: compared([row.in_both, row.only_in_draft, row.only_in_signed]) }))}
      totals={[{ key: "total", head: "All conditions", cells: compared([total.findings_in_both, total.findings_only_in_draft, total.findings_only_in_signed]) }]}
    />
  );
}

function comparedColumns(): string[] {
  return ["Findings", ...FINDINGS.map(({ words }) => words), "Shares"];
}

function compared(counts: readonly [number, number, number]) {
  const whole = counts[0] + counts[1] + counts[2];
  const parts = FINDINGS.map(({ kind, words }, index): BarPart => ({ kind, words: words.toLowerCase(), count: counts[index] ?? 0 }));
  return [inDigits(whole), ...parts.map(({ kind, count }) => <Share key={kind} count={count} of={whole} />), <Bar key="bar" parts={parts} />];
}

function groupRow({ name, weights_digest, prompt_version }: DiscrepancyGroup, cells: FigureRow["cells"]): FigureRow {
  const made = weights_digest === null ? null : `weights ${weights_digest.slice(0, DIGEST_SHOWN)}, prompt ${prompt_version ?? "not recorded"}`;
  return {
    key: JSON.stringify([name, weights_digest, prompt_version]),
    head: <>{name ?? "Not recorded"}{made !== null && <span className="made">{made}</span>}</>,
    cells,
  };
}
