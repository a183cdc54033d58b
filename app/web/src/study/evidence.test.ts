import { expect, it } from "vitest";
import type { Draft, DraftSentence } from "../api/types";
import { ATTRIBUTION, evidenceAfter, NO_EVIDENCE, regionOf, regionsOn, regionWords } from "./evidence";

const PLACE = { left: 0.1, top: 0.2, right: 0.3, bottom: 0.4 };

/** The regions' images, one for each sentence. */
function draft(...images: (string | null)[]): Draft {
  const sentences = images.map((image, index): DraftSentence => ({
    index, section: "findings", text: `Finding ${index}.`, source: "image", author: "model", logprob: null, flags: [],
    region: image === null ? null : { sop_instance_uid: image, ...PLACE },
  }));
  return {
    id: "d", study_instance_uid: "1.2", version: 1, stale: false, model: "m", weights_digest: "w", prompt_version: "p", image_digests: [], evidence: "occlusion-1",
    created_at: "2026-01-01T00:00:00Z", notice: "", revision: 1, prior_study_instance_uid: null, prior_study_date: null, sentences,
  };
}

it("a region has its sentence's number, and only the shown image's regions are drawn", () => {
  const mixed = draft("1.1", null, "1.2", "1.1");
  expect(regionsOn(mixed, "1.1")).toEqual([
    { number: 1, label: "Region of sentence 1, “Finding 0.”: go to the sentence", ...PLACE },
    { number: 4, label: "Region of sentence 4, “Finding 3.”: go to the sentence", ...PLACE },
  ]);
  expect(regionsOn(mixed, "1.2").map(({ number }) => number)).toEqual([3]);
  expect([1, 2, 3, 4, 5].map((number) => regionOf(mixed, number)?.sop_instance_uid)).toEqual(["1.1", undefined, "1.2", "1.1", undefined]);
});

it.each([
  ["regions", draft("1.1"), ""],
  ["none on this image", draft("1.2"), "No regions on this image"],
  ["none found", draft(null), "they were looked for (occlusion-1)"],
  ["not looked for", { ...draft(null), evidence: null }, "a model behind vLLM gives none"],
])("says what is drawn or why nothing is: %s", (_name, given, why) => {
  expect(regionWords(given, "1.1")).toContain(ATTRIBUTION);
  expect(regionWords(given, "1.1")).toContain(why);
});

it("is off until asked for, cannot be asked for without a draft, and forgets what stood out", () => {
  expect(evidenceAfter(NO_EVIDENCE, { kind: "toggle" })).toBe(NO_EVIDENCE);
  const shown = evidenceAfter(NO_EVIDENCE, { kind: "show", draft: draft("1.1") });
  expect(shown.on).toBe(false);
  const on = evidenceAfter(shown, { kind: "toggle" });
  expect(on.on).toBe(true);
  const pointed = evidenceAfter(evidenceAfter(on, { kind: "focus", number: 1, is: true }), { kind: "hover", number: 2, is: true });
  expect(pointed).toMatchObject({ focused: 1, hovered: 2 });
  expect(evidenceAfter(pointed, { kind: "hover", number: 1, is: false }).hovered).toBe(2);
  expect(evidenceAfter(pointed, { kind: "hover", number: 2, is: false }).hovered).toBeNull();
  expect(evidenceAfter(pointed, { kind: "toggle" })).toEqual(shown);
});

it("each wish to reach a region is a new one", () => {
  const once = evidenceAfter(NO_EVIDENCE, { kind: "reach", number: 1 });
  expect(evidenceAfter(once, { kind: "reach", number: 1 }).wanted).not.toBe(once.wanted);
  expect(evidenceAfter(once, { kind: "reached" }).wanted).toBeNull();
});
