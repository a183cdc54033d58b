import fc from "fast-check";
import { expect, it } from "vitest";
import type { Draft, DraftSentence } from "../api/types";
import { acted, type Act, type Decided } from "./decisions";
import { workOf, written } from "./work";

const sentence = (index: number, text: string, flags: DraftSentence["flags"] = []): DraftSentence => ({ index, section: "findings", text, source: "image", author: "model", region: null, logprob: null, flags });

function begun(...sentences: DraftSentence[]): Decided {
  const draft: Draft = {
    id: "d", study_instance_uid: "1.2", version: 1, stale: false, sentences, model: "m", weights_digest: "w", prompt_version: "p", image_digests: [],
    created_at: "2026-01-01T00:00:00Z", notice: "", revision: 1, prior_study_instance_uid: null, prior_study_date: null, evidence: null,
  };
  return { work: workOf({ findings: "", impression: "", sentences: [] }, draft), past: [] };
}

const CLEAN = begun(sentence(0, "Clear lungs."), sentence(1, "Large heart."));
const ACT: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ type: fc.constantFrom("accept" as const, "reject" as const, "restore" as const), index: fc.nat(1) }),
  fc.record({ type: fc.constant("edit" as const), index: fc.nat(1), text: fc.string({ maxLength: 8 }) }),
  fc.record({ type: fc.constant("accept all" as const) }),
);

it("undo takes the last decision back, and the words typed since stay", () => {
  const acts: Act[] = [{ type: "accept", index: 0 }, { type: "reject", index: 1 }, { type: "own", section: "findings", text: "Own." }, { type: "undo" }];
  expect(written(acts.reduce(acted, CLEAN).work).findings).toBe("Clear lungs.\nOwn.");
});

it("undo again and again leads back to the beginning", () => {
  fc.assert(
    fc.property(fc.array(ACT, { maxLength: 30 }), (acts) => {
      const done = acts.reduce(acted, CLEAN);
      const undone = done.past.reduce((decided: Decided) => acted(decided, { type: "undo" }), done);
      expect(undone).toEqual(CLEAN);
      expect(acted(undone, { type: "undo" })).toEqual(CLEAN);
    }),
  );
});

it("the keys of one edit are one step", () => {
  const typed = ["L", "La", "Lar"].reduce((now: Decided, text) => acted(now, { type: "edit", index: 1, text }), CLEAN);
  expect(acted(typed, { type: "undo" })).toEqual(CLEAN);
});

it("all are accepted at once only where none is flagged", () => {
  expect(written(acted(CLEAN, { type: "accept all" }).work).findings).toBe("Clear lungs. Large heart.");
  const flagged = begun(sentence(0, "Clear lungs."), sentence(1, "Larger heart.", [{ code: "comparison", reason: "no prior" }]));
  expect(acted(flagged, { type: "accept all" })).toEqual(flagged);
  const decided = acted(flagged, { type: "accept", index: 1 });
  expect(acted(decided, { type: "accept all" })).toEqual(decided);
});
