import { expect, it } from "vitest";
import type { DeadLetter, Echo } from "./types";
import { ageInWords, consequence, echoInWords, peerRolesInWords, settledInWords, taskInWords } from "./words";

const AT = "2026-03-01T08:00:00Z";
const LETTER: DeadLetter = {
  id: "0", task: "priors.gather", state: "dead", study_instance_uid: "1.2", study_state: "failed", study_reason: null, revision: 1, attempts: 5, last_error: "away", created_at: AT,
};

it.each([
  [{ outcome: "answered", seconds: 0.0214, error: null }, "Answered in 0.02 s"],
  [{ outcome: "answered", seconds: 0.0001, error: null }, "Answered in 0.01 s"],
  [{ outcome: "answered", seconds: 9.81, error: null }, "Answered in 9.8 s"],
  [{ outcome: "failed", seconds: 10, error: "pacs: no connection." }, "No answer: pacs: no connection."],
  [{ outcome: "not_checkable", seconds: null, error: "Nothing was sent." }, "Not asked: Nothing was sent."],
] satisfies [Omit<Echo, "at">, string][])("the echo %j is said as %s", (echo, words) => {
  expect(echoInWords({ ...echo, at: AT })).toBe(words);
});

it.each([
  [0.4, "0 s"],
  [59.9, "59 s"],
  [60, "1 min"],
  [3 * 3600 + 300, "3 h 05"],
  [52 * 3600, "2 d 4 h"],
])("%d seconds are %s", (seconds, words) => {
  expect(ageInWords(seconds)).toBe(words);
});

it.each([
  ["retry", "superseded", "Taken up again: Search for priors."],
  ["retry", "queued", "Taken up again: Search for priors."],
  ["retry", "dropped", "Not tried again: Search for priors. Somebody dropped it meanwhile."],
  ["drop", "dropped", "Dropped: Search for priors."],
  ["drop", "queued", "Not dropped: Search for priors. Somebody took it up meanwhile; it is waiting."],
] as const)("%s that ends as %s is told as it came out", (act, state, words) => {
  expect(settledInWords(act, { ...LETTER, state })).toBe(words);
});

it("what an act does is said apart for each kind of job", () => {
  const tasks = ["priors.gather", "drafting.write", "evidence.point", "delivery.send"];
  expect(new Set(tasks.map((task) => consequence("retry", task))).size).toBe(3);
  expect(consequence("drop", "delivery.send")).toContain("stays signed");
});

it("what the page has no words for is shown as the service calls it", () => {
  expect([taskInWords("new.task"), peerRolesInWords(["results", "other"]), peerRolesInWords([])]).toEqual(["new.task", "receives results, other", "none"]);
});
