import { expect, it } from "vitest";
import { ageInWords, dayInWords, intervalInWords } from "./dates";
import { nameInWords } from "./person";
import { confidenceInWords, isSigned, isWithdrawn, priorsInWords } from "./said";

it.each([
  ["20250815", "15 Aug 2025"],
  ["2025-08-15", "15 Aug 2025"],
  ["20250231", "20250231"],
  ["", "date unknown"],
  [null, "date unknown"],
])("day %s is read as %s", (text, words) => {
  expect(dayInWords(text)).toBe(words);
});

it.each([
  ["20261120", "20261120", "same day"],
  ["20261119", "20261120", "1 day"],
  ["20261031", "20261120", "20 days"],
  ["20261030", "20261120", "3 weeks"],
  ["20260820", "20261120", "3 months"],
  ["20250815", "20261120", "15 months"],
  ["20241121", "20261120", "23 months"],
  ["20241120", "20261120", "2 years"],
  ["20230815", "20261120", "3 years 3 months"],
  ["20261121", "20261120", null],
  [null, "20261120", null],
])("from %s to %s is %s", (earlier, later, words) => {
  expect(intervalInWords(earlier, later)).toBe(words);
});

it.each([
  [0.4, "now"],
  [7, "7 min"],
  [125, "2 h 05"],
  [3000, "2 d"],
])("%d minutes are %s", (minutes, words) => {
  const now = Date.parse("2026-11-20T12:00:00Z");
  expect(ageInWords(new Date(now - minutes * 60_000).toISOString(), now)).toBe(words);
});

it.each([
  ["DOE^JANE^MARIA^Dr^PhD", "DOE, Dr JANE MARIA, PhD"],
  ["Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada, Tarou (山田, 太郎, やまだ, たろう)"],
  ["ANONYMOUS", "ANONYMOUS"],
  ["^^^", "Name unknown"],
  [null, "Name unknown"],
])("the name %s is read as %s", (name, words) => {
  expect(nameInWords(name)).toBe(words);
});

it("confidence is the probability, and its absence is said", () => {
  expect([0, -0.2, -1, null].map(confidenceInWords)).toEqual(["high (100 %)", "medium (82 %)", "low (37 %)", "not given"]);
});

it("only one outcome of the prior search says that there is no prior", () => {
  const outcomes = ["found", "none_exist", "unavailable", "identity_uncertain", null] as const;
  expect(outcomes.filter((outcome) => priorsInWords(outcome).headline === "No prior available")).toEqual(["none_exist"]);
  expect(outcomes.filter((outcome) => priorsInWords(outcome).warns)).toEqual(["unavailable", "identity_uncertain"]);
  expect(new Set(outcomes.map((outcome) => priorsInWords(outcome).headline)).size).toBe(5);
});

it("a report is signed, withdrawn or neither, by its status", () => {
  expect((["final", "appended", "preliminary", "cancelled"] as const).map((status) => [isSigned(status), isWithdrawn(status)])).toEqual([
    [true, false],
    [true, false],
    [false, false],
    [false, true],
  ]);
});
