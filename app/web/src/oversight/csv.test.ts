import { expect, it } from "vitest";
import type { Discrepancy, Oversight } from "../api/types";
import { figuresAsCsv } from "./csv";

const COUNTS = { accepted: 2, edited: 0, rejected: 1, added: 0, pending: 0 };
const TOTAL: Discrepancy = {
  reports: 1,
  draft_sentences: 3,
  signed_sentences: 2,
  unchanged: 2,
  reworded: 0,
  deleted: 1,
  added: 0,
  unchanged_share: 2 / 3,
  reworded_share: 0,
  deleted_share: 1 / 3,
  added_share: null,
  findings_in_both: 1,
  findings_only_in_draft: 1,
  findings_only_in_signed: 0,
};

function told(name: string | null, weights: string | null = null): Oversight {
  return {
    first_day: "2026-03-01",
    last_day: "2026-03-30",
    reports: { signed: 1, with_draft: 1, without_draft: 0 },
    decisions: { sentences: COUNTS, mentions: COUNTS, by_class: [{ finding_class: "effusion", ...COUNTS }] },
    time_to_sign: { since_received: { reports: 1, median: 61.5, p90: 61.5 }, since_draft: { reports: 0, median: null, p90: null } },
    flags: { draft_sentences: 3, flagged_sentences: 1, by_code: [{ code: "side-contradiction", ...COUNTS }] },
    discrepancy: { by: "site", total: TOTAL, groups: [{ ...TOTAL, name, weights_digest: weights, prompt_version: null }], findings: [] },
  };
}

it("has a line for each figure, with the service's own names", () => {
  const lines = figuresAsCsv(told("NORTH", "ab")).split("\r\n");
  expect(lines[0]).toBe("table,name,weights_digest,prompt_version,measure,value");
  expect(lines).toContain("period,,,,first_day,2026-03-01");
  expect(lines).toContain("time_to_sign_seconds,since_received,,,median,61.5");
  expect(lines).toContain("time_to_sign_seconds,since_draft,,,median,");
  expect(lines).toContain("decisions_by_finding,effusion,,,rejected,1");
  expect(lines).toContain("decisions_by_flag,side-contradiction,,,accepted,2");
  expect(lines).toContain("discrepancy_by_site,NORTH,ab,,unchanged,2");
  expect(lines).toContain("discrepancy,total,,,deleted,1");
  expect(lines.every((line) => line === "" || line.split(",").length === 6 || line.includes('"'))).toBe(true);
});

it.each([
  ["North, East", '"North, East"'],
  ['the "old" site', '"the ""old"" site"'],
  ["=HYPERLINK(1)", "'=HYPERLINK(1)"],
  ["@sum", "'@sum"],
  [null, ""],
])("the name %s is written as %s", (name, written) => {
  expect(figuresAsCsv(told(name))).toContain(`discrepancy_by_site,${written},,,reports,1\r\n`);
});
