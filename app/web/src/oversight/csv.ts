import type { Oversight } from "../api/types";

type Line = readonly (string | number | null)[];

const HEAD: Line = ["table", "name", "weights_digest", "prompt_version", "measure", "value"];

/** All figures, one a line, by the names that the service gives them. */
export function figuresAsCsv(told: Oversight): string {
  const { decisions, flags, discrepancy } = told;
  const lines = [
    HEAD,
    ["drafts", "", "", "", "note", "research drafts, not for diagnosis"],
    ["period", "", "", "", "first_day", told.first_day],
    ["period", "", "", "", "last_day", told.last_day],
    ...measures("reports", "", told.reports),
    ...measures("time_to_sign_seconds", "since_received", told.time_to_sign.since_received),
    ...measures("time_to_sign_seconds", "since_draft", told.time_to_sign.since_draft),
    ...decisions.by_class.flatMap(({ finding_class, ...counts }) => measures("decisions_by_finding", finding_class, counts)),
    ...measures("decisions", "mentions", decisions.mentions),
    ...measures("decisions", "sentences", decisions.sentences),
    ...measures("flags", "", { draft_sentences: flags.draft_sentences, flagged_sentences: flags.flagged_sentences }),
    ...flags.by_code.flatMap(({ code, ...counts }) => measures("decisions_by_flag", code, counts)),
    ...discrepancy.groups.flatMap(({ name, weights_digest, prompt_version, ...counts }) =>
      measures(`discrepancy_by_${discrepancy.by}`, name, counts, [weights_digest, prompt_version])),
    ...measures("discrepancy", "total", discrepancy.total),
    ...discrepancy.findings.flatMap(({ finding_class, ...counts }) => measures("discrepancy_by_finding", finding_class, counts)),
  ];
  return lines.map((line) => `${line.map(cell).join(",")}\r\n`).join("");
}

export function downloadCsv(told: Oversight): void {
  const address = URL.createObjectURL(new Blob([figuresAsCsv(told)], { type: "text/csv" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = `drafts-in-use-${told.first_day}-${told.last_day}.csv`;
  link.click();
  URL.revokeObjectURL(address);
}

function measures(table: string, name: string | null, counts: Readonly<Record<string, number | null>>, made: Line = ["", ""]): Line[] {
  return Object.entries(counts).map(([measure, value]) => [table, name, ...made, measure, value]);
}

/** RFC 4180; a text that a spreadsheet would run as a formula (a site's name is the sender's word) is kept from it by an apostrophe. */
function cell(value: string | number | null): string {
  if (typeof value === "number") return String(value);
  const text = (value ?? "").replace(/^(?=[=+\-@\t\r])/, "'");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
