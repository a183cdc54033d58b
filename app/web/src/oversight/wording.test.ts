import { expect, it } from "vitest";
import { Problem, Unreachable } from "../api/http";
import { progressOf } from "./calls";
import { byFrequency, classInWords, durationInWords, flagInWords, headlineOf, inDigits, isWorthTrying, percent } from "./wording";

it.each([
  [0, 0, "–"],
  [0, 7, "0 %"],
  [1, 1000, "<1 %"],
  [1, 3, "33 %"],
  [999, 1000, ">99 %"],
  [7, 7, "100 %"],
])("%d of %d is %s", (part, whole, words) => {
  expect(percent(part, whole)).toBe(words);
});

it.each([
  [null, "–"],
  [0, "0 s"],
  [59.4, "59 s"],
  [59.6, "1 min 00 s"],
  [260, "4 min 20 s"],
  [3599.6, "1 h 00 min"],
  [7500, "2 h 05 min"],
  [86_380, "1 d 0 h"],
  [273_600, "3 d 4 h"],
])("%s seconds are %s", (seconds, words) => {
  expect(durationInWords(seconds)).toBe(words);
});

it("names of classes and flags are read as words, and large numbers in groups", () => {
  expect([classInWords("enlarged cardiomediastinum"), classInWords("none"), flagInWords("side-contradiction")]).toEqual(["Enlarged cardiomediastinum", "No finding stated", "Side contradiction"]);
  expect(inDigits(12345)).toBe("12,345");
});

it("the most frequent class comes first, sentences without a finding last", () => {
  const rows = [{ finding_class: "none", n: 9 }, { finding_class: "edema", n: 2 }, { finding_class: "fracture", n: 2 }, { finding_class: "nodule", n: 5 }];
  expect(byFrequency(rows, ({ n }) => n).map((row) => row.finding_class)).toEqual(["nodule", "edema", "fracture", "none"]);
});

it("who must act is said, and only what may pass is tried again", () => {
  const errors = [new Problem(403, {}), new Problem(400, {}), new Problem(422, {}), new Problem(500, {}), new Unreachable()];
  expect(errors.map(headlineOf)).toEqual([
    "These figures are for leads.",
    "The service refused these days.",
    "The service refused these days.",
    "The figures could not be read.",
    "The figures could not be read.",
  ]);
  expect(errors.map(isWorthTrying)).toEqual([false, false, false, true, true]);
});

it("only the refusal that tells how far the service is counts as progress", () => {
  const type = "urn:unirg:problem:still-reading";
  expect(progressOf(new Problem(503, { type, read: 3, reports: 12 }))).toEqual({ read: 3, reports: 12 });
  for (const other of [null, new Unreachable(), new Problem(503, { type }), new Problem(503, { read: 3, reports: 12 })]) expect(progressOf(other)).toBeNull();
});
