import { expect, it } from "vitest";
import type { Report, Study } from "../api/types";
import { revision } from "./revised";

const study = (state: Study["state"], current_draft: Study["current_draft"]) => ({ state, current_draft }) as Study;
const report = (draft_id: string | null) => ({ draft_id }) as Report;
const FIRST = { id: "1", version: 1, stale: false };
const SECOND = { id: "2", version: 2, stale: false };

it.each([
  ["nothing", study("in_review", FIRST), report("1"), null],
  ["a late image", study("receiving", { ...FIRST, stale: true }), report("1"), "arriving"],
  ["a newer draft", study("ready", SECOND), report("1"), "newer_draft"],
  ["no newer draft, the model being away", study("draft_unavailable", { ...FIRST, stale: true }), report("1"), "no_newer_draft"],
  ["a draft that is out of date itself", study("ready", { ...SECOND, stale: true }), report("1"), "no_newer_draft"],
  ["a late image under a report from nothing", study("ready", SECOND), report(null), "to_be_seen"],
  ["priors alone", study("ready", FIRST), report("1"), "to_be_seen"],
  ["nothing, under a report from nothing", study("in_review", SECOND), report(null), null],
] as const)("%s", (_what, changedStudy, written, expected) => {
  expect(revision(changedStudy, written)).toBe(expected);
});
