// @vitest-environment jsdom
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import type { DecisionCounts } from "../api/types";
import { DecisionsByFinding, FlagDecisions } from "./decisions";

const COUNTS: DecisionCounts = { accepted: 2, edited: 0, rejected: 1, added: 4, pending: 0 };

afterEach(cleanup);

/** What the table's head and its one line say. */
function table(counted: DecisionCounts): [string[], string[]] {
  render(<DecisionsByFinding decisions={{ sentences: counted, mentions: counted, by_class: [{ finding_class: "effusion", ...counted }] }} />);
  const { rows } = screen.getByText("Readers’ decisions by finding").closest("table")!;
  const [head, line] = [rows[0]!, rows[1]!].map((row) => [...row.cells].map((cell) => cell.textContent));
  return [head!, line!];
}

it("shares are of the draft's sentences, and a bar says its numbers", () => {
  expect(table(COUNTS)).toEqual([
    ["Finding", "Draft sentences", "Accepted", "Edited", "Rejected", "Shares", "Added"],
    ["Effusion", "3", "2 (67 %)", "0 (0 %)", "1 (33 %)", "", "4"],
  ]);
  expect(screen.getAllByLabelText("accepted 2, edited 0, rejected 1")).toHaveLength(3);
});

it("a sentence without a decision has a column, so that the line adds up", () => {
  expect(table({ ...COUNTS, pending: 1 })).toEqual([
    ["Finding", "Draft sentences", "Accepted", "Edited", "Rejected", "Undecided", "Shares", "Added"],
    ["Effusion", "4", "2 (50 %)", "0 (0 %)", "1 (25 %)", "1 (25 %)", "", "4"],
  ]);
});

it("of no draft sentence there is no share and no bar", () => {
  expect(table({ ...COUNTS, accepted: 0, rejected: 0 })[1]).toEqual(["Effusion", "0", "0 ", "0 ", "0 ", "", "4"]);
  expect(screen.queryByLabelText(/^accepted/)).toBeNull();
});

it("where nothing could be flagged there is no table of flags", () => {
  render(<FlagDecisions flags={{ draft_sentences: 0, flagged_sentences: 0, by_code: [] }} />);
  expect(screen.getByText("No draft had a sentence that could be flagged.")).toBeTruthy();
  expect(document.querySelector("table")).toBeNull();
});
