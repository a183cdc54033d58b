import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Draft, DraftSentence, ReportText } from "../api/types";
import { blockers } from "./blockers";
import { changed, undecided, workOf, written, type Change, type Work } from "./work";

function sentence(index: number, text: string, section: DraftSentence["section"] = "findings", flags: DraftSentence["flags"] = []): DraftSentence {
  return { index, section, text, source: "image", author: "model", region: null, logprob: -0.1, flags };
}

function draftOf(sentences: DraftSentence[]): Draft {
  return {
    id: "d", study_instance_uid: "1.2", version: 1, stale: false, sentences, model: "m", weights_digest: "w", prompt_version: "p", image_digests: [],
    created_at: "2026-01-01T00:00:00Z", notice: "", revision: 1, prior_study_instance_uid: null, prior_study_date: null, evidence: null,
  };
}

const FLAG = { code: "side-contradiction", reason: "findings say left" };
const DRAFT = draftOf([sentence(0, "Clear lungs."), sentence(1, "Large heart.", "findings", [FLAG]), sentence(2, "Cardiomegaly.", "impression")]);
const EMPTY: ReportText = { findings: "", impression: "", sentences: [] };
const START = workOf(EMPTY, DRAFT);
const after = (...changes: Change[]) => changes.reduce(changed, START);

describe("the text that is saved", () => {
  it("has no word of the draft that nobody decided on", () => {
    expect(written(START)).toMatchObject({ findings: "", impression: "" });
    expect(undecided(START)).toHaveLength(3);
  });

  it("is the accepted and edited sentences in order, then the reader's own words", () => {
    const work = after(
      { type: "edit", index: 1, text: "Heart mildly enlarged." },
      { type: "accept", index: 0 },
      { type: "reject", index: 2 },
      { type: "own", section: "findings", text: "Old rib fracture." },
      { type: "own", section: "impression", text: "Mild cardiomegaly." },
    );
    expect(written(work)).toEqual({
      findings: "Clear lungs. Heart mildly enlarged.\nOld rib fracture.",
      impression: "Mild cardiomegaly.",
      sentences: [
        { index: 0, decision: "accepted", text: "Clear lungs." },
        { index: 1, decision: "edited", text: "Heart mildly enlarged." },
        { index: 2, decision: "rejected", text: "Cardiomegaly." },
        { index: 3, decision: "added", text: "Old rib fracture." },
        { index: 4, decision: "added", text: "Mild cardiomegaly." },
      ],
    });
  });

  it("keeps the draft's wording of a rejected sentence, and takes an emptied one for rejected", () => {
    const [, second] = written(after({ type: "edit", index: 1, text: "  " })).sentences;
    expect(second).toEqual({ index: 1, decision: "rejected", text: "Large heart." });
  });

  it("restore gives back the draft's words, undecided", () => {
    expect(after({ type: "edit", index: 0, text: "Other." }, { type: "restore", index: 0 })).toEqual(START);
  });

  it("an edit back to the draft's words is an acceptance", () => {
    expect(written(after({ type: "edit", index: 0, text: "Clear lungs." })).sentences[0]?.decision).toBe("accepted");
  });
});

const TEXT = fc.string({ maxLength: 30 });
const CHANGE: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ type: fc.constantFrom("accept", "reject", "restore"), index: fc.nat(3) }),
  fc.record({ type: fc.constant("edit"), index: fc.nat(3), text: TEXT }),
  fc.record({ type: fc.constant("own"), section: fc.constantFrom("findings", "impression"), text: TEXT }),
);

it("what was saved is what is opened again, whatever was done", () => {
  fc.assert(
    fc.property(fc.array(CHANGE), (changes) => {
      const saved = written(changes.reduce(changed, START));
      expect(written(workOf(saved, DRAFT))).toEqual(saved);
    }),
    { numRuns: 1_000 },
  );
});

it("every sentence of the draft is in the record, with its wording, whatever was done", () => {
  fc.assert(
    fc.property(fc.array(CHANGE), (changes) => {
      const work = changes.reduce(changed, START);
      const { sentences } = written(work);
      const drafted = work.sentences.map(({ draft }) => draft.text);
      expect(drafted).toEqual(DRAFT.sentences.map(({ text }) => text));
      expect(sentences.slice(0, 3).map(({ index }) => index)).toEqual([0, 1, 2]);
    }),
  );
});

describe("a text kept from another draft or another client", () => {
  const kept = (findings: string) => workOf({ findings, impression: "", sentences: [] }, DRAFT);

  it("is edited as a whole, and what is not the draft's is not lost", () => {
    const work = kept("Typed elsewhere. Large\nheart.");
    expect(work.whole).toEqual({ findings: true, impression: false });
    const decided = [{ type: "accept", index: 0 }, { type: "reject", index: 1 }] as const;
    expect(written(decided.reduce(changed, work)).findings).toBe("Typed elsewhere. Clear lungs.");
  });

  it("takes an accepted sentence once, and follows its editing", () => {
    const edits: Change[] = [{ type: "accept", index: 1 }, { type: "edit", index: 1, text: "Larger" }, { type: "edit", index: 1, text: "Larger heart." }];
    expect(edits.map((_, count) => written(edits.slice(0, count + 1).reduce(changed, kept("Large heart. Old."))).findings)).toEqual([
      "Large heart. Old.",
      "Larger Old.",
      "Larger heart. Old.",
    ]);
  });

  it("always says what the decisions say, as the service demands before signing", () => {
    const decisions = fc.array(fc.record({ type: fc.constantFrom("accept", "reject", "restore"), index: fc.nat(2) }));
    fc.assert(
      fc.property(decisions, fc.constantFrom("", "Old words.", "Old words. Clear lungs.", "Large heart.\nOld words."), (changes, findings) => {
        const text = written(changes.reduce(changed, kept(findings)));
        const all = `${text.findings} ${text.impression}`;
        for (const { decision, text: wording } of text.sentences.slice(0, 3)) {
          if (decision === "accepted") expect(all).toContain(wording);
          if (decision === "rejected") expect(all).not.toContain(wording);
        }
        expect(all.includes("Old words.")).toBe(findings.includes("Old words."));
      }),
    );
  });

  it("is opened again as it was saved", () => {
    fc.assert(
      fc.property(fc.array(CHANGE), (changes) => {
        const saved = written(changes.reduce(changed, kept("Old words.")));
        expect(written(workOf(saved, DRAFT))).toEqual({ ...saved, findings: saved.findings.trim() });
      }),
    );
  });
});

it("control characters, which the service refuses, do not get in", () => {
  const work = after({ type: "own", section: "findings", text: "a\u000bb\r\nc\u0000" }, { type: "edit", index: 0, text: "x\u001fy" });
  expect(written(work)).toMatchObject({ findings: "x y\na b\nc" });
});

it("a report from nothing is only the reader's own words", () => {
  const work = changed(workOf(EMPTY, null), { type: "own", section: "impression", text: "Normal." });
  expect(written(work)).toEqual({ findings: "", impression: "Normal.", sentences: [{ index: 1, decision: "added", text: "Normal." }] });
  expect(written(workOf(written(work), null))).toEqual(written(work));
});

describe("signing is held back", () => {
  const condition = (work: Work) => ({ work, save: { kind: "saved", at: 1 } as const, hold: { kind: "mine", shaky: false } as const, imageFault: false, changed: false, criticalOpen: false });
  const done = after({ type: "accept", index: 0 }, { type: "accept", index: 1 }, { type: "accept", index: 2 });

  it("while sentences are undecided, flagged ones named first", () => {
    expect(blockers(condition(START))).toEqual([
      "1 flagged sentence of the draft not decided",
      "2 other sentences of the draft not decided",
      "Nothing is written yet",
    ]);
  });

  it("without the lock, without the image, without the text on the server", () => {
    expect(blockers({ ...condition(done), hold: { kind: "lost", owner: "X" } })).toEqual(["You do not hold this study"]);
    expect(blockers({ ...condition(done), imageFault: true })).toEqual(["An image of this study is not shown"]);
    expect(blockers({ ...condition(done), save: { kind: "offline" } })).toEqual(["The text is not saved"]);
  });

  it("while a field of a template is empty, or a critical result was told to nobody", () => {
    const unfilled = changed(done, { type: "own", section: "impression", text: "Nodule of [size] mm." });
    expect(blockers(condition(unfilled))).toEqual(["Not filled in yet: [size]"]);
    expect(blockers({ ...condition(done), criticalOpen: true })).toEqual(["A critical result was told to nobody yet"]);
  });

  it("and not otherwise", () => {
    expect(blockers(condition(done))).toEqual([]);
  });
});
