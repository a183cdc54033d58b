import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { draftFrom, wordDiff } from "./word_diff";

const WORD = fc.oneof(
  fc.constantFrom("The", "lungs", "are", "clear.", "heart", "left", "right", "\u00e9panchement", "\u{1f9e0}", "[side]", "__proto__"),
  fc.string({ unit: "grapheme", maxLength: 6 }),
);
const TEXT = fc.array(fc.tuple(WORD, fc.constantFrom(" ", "\n", "  ", "\t", ""))).map((parts) => parts.flat().join(""));
/** Some of the words taken out, some put in, as a reader edits. */
const EDITED = fc.tuple(TEXT, fc.array(fc.record({ at: fc.nat(2_000), take: fc.nat(20), put: fc.string({ maxLength: 20 }) }), { maxLength: 8 })).map(([draft, edits]) => {
  const report = edits.reduce((text, { at, take, put }) => text.slice(0, at % (text.length + 1)) + put + text.slice((at % (text.length + 1)) + take), draft);
  return { draft, report };
});

describe("a diff by words", () => {
  it("names the words that went and came", () => {
    expect(wordDiff("The heart is larger.", "The heart is not enlarged.")).toEqual([
      { op: "equal", text: "The heart is " },
      { op: "deleted", text: "larger." },
      { op: "inserted", text: "not enlarged." },
    ]);
    expect(wordDiff("", "")).toEqual([]);
  });

  it("gives back the draft exactly, from the report, over 1,000 random edits", () => {
    fc.assert(
      fc.property(EDITED, ({ draft, report }) => {
        expect(draftFrom(report, wordDiff(draft, report))).toBe(draft);
      }),
      { numRuns: 1_000 },
    );
  });

  it("gives back the draft of two texts that have nothing to do with each other", () => {
    fc.assert(
      fc.property(TEXT, TEXT, (draft, report) => {
        expect(draftFrom(report, wordDiff(draft, report))).toBe(draft);
      }),
    );
  });

  it("has no fewer words than a long report has", () => {
    const draft = Array.from({ length: 60_000 }, (_, number) => `w${number}`).join(" ");
    expect(draftFrom(`${draft} more`, wordDiff(draft, `${draft} more`))).toBe(draft);
  });

  it("is refused for another report", () => {
    const edits = wordDiff("The lungs are clear.", "Clear lungs.");
    expect(() => draftFrom("Clear lungs", edits)).toThrow(RangeError);
    expect(() => draftFrom("Clear lungs. More.", edits)).toThrow(RangeError);
  });
});
