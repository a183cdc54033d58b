import fc from "fast-check";
import { closeHistory, history, undo } from "prosemirror-history";
import { EditorState, Selection, TextSelection } from "prosemirror-state";
import { describe, expect, it } from "vitest";
import { became, docOf, fieldsOf, nextField, put, putSpoken, textIn, typedBefore, unfilled } from "./plain_doc";

const TEXT = fc.array(fc.constantFrom("a", "b ", "\n", "[x]", "\u{1f9e0}", "Clear lungs. ")).map((parts) => parts.join(""));

function stateOf(text: string): EditorState {
  const doc = docOf(text);
  return EditorState.create({ doc, selection: Selection.atEnd(doc), plugins: [history()] });
}

const at = (state: EditorState, from: number, to = from) => state.apply(state.tr.setSelection(TextSelection.create(state.doc, from, to)));
const textOf = (state: EditorState) => textIn(state.doc);

describe("plain text", () => {
  it("comes out as it went in", () => {
    fc.assert(fc.property(TEXT, (text) => { expect(textIn(docOf(text))).toBe(text); }));
  });

  it("becomes any other text", () => {
    fc.assert(fc.property(TEXT, TEXT, (one, other) => {
      const state = stateOf(one);
      expect(textOf(state.apply(became(state, other)))).toBe(other);
    }));
  });

  it("keeps the cursor where it was when something changes behind it", () => {
    const state = at(stateOf("Heart large. Lungs clear."), 6);
    expect(state.apply(became(state, "Heart large. Lungs are clear.")).selection.from).toBe(6);
  });
});

describe("what is put in", () => {
  it("comes where the cursor is, over several lines, and is taken back in one step", () => {
    const before = at(stateOf("Before. After."), 9);
    const after = before.apply(closeHistory(put(before, "One.\nTwo. ")));
    expect(textOf(after)).toBe("Before. One.\nTwo. After.");
    let undone = after;
    undo(after, (tr) => { undone = after.apply(tr); });
    expect(textOf(undone)).toBe("Before. After.");
  });

  it("has its first field selected, and Tab goes on to the next", () => {
    const empty = stateOf("[other]\n");
    const state = empty.apply(put(empty, "Nodule of [size] mm in the [lobe]."));
    const chosen = ({ from, to }: { from: number; to: number }) => state.doc.textBetween(from, to);
    expect(chosen(state.selection)).toBe("[size]");
    expect(chosen(nextField(state, 1)!)).toBe("[lobe]");
    expect(chosen(nextField(state, -1)!)).toBe("[other]");
    expect(fieldsOf(state.doc).map(chosen)).toEqual(["[other]", "[size]", "[lobe]"]);
    expect(unfilled(textOf(state))).toEqual(["[other]", "[size]", "[lobe]"]);
    expect(nextField(stateOf("none"), 1)).toBeNull();
  });

  it("takes the place of its shortcut", () => {
    const state = stateOf("Also NCX");
    const typed = typedBefore(state)!;
    expect(typed.word).toBe("ncx");
    expect(textOf(state.apply(put(state, "Normal chest.", typed)))).toBe("Also Normal chest.");
  });

  it("knows a shortcut only right before the cursor, of two characters or more", () => {
    for (const [text, word] of [["a", null], ["x nc", "nc"], ["nc ", null], ["(nc", "nc"], ["nc.", "nc."], ["-nc", null], ["", null]] as const) expect(typedBefore(stateOf(text))?.word ?? null).toBe(word);
    expect(typedBefore(at(stateOf("nc"), 1, 3))).toBeNull();
  });
});

describe("speech", () => {
  it("comes word after word, in order, 10,000 of them, wherever the cursor stood before", () => {
    const words = Array.from({ length: 10_000 }, (_, number) => `word${number}`);
    let state = at(stateOf("First. Last."), 8);
    for (const word of words) state = state.apply(putSpoken(state, word));
    expect(textOf(state)).toBe(`First. ${words.join(" ")} Last.`);
  }, 60_000);

  it("has a space between words and none before a full stop", () => {
    let state = stateOf("");
    for (const word of ["The heart", "is large", ".", "No (", "pleural ", "effusion\n", "."]) state = state.apply(putSpoken(state, word));
    expect(textOf(state)).toBe("The heart is large. No (pleural effusion .");
  });
});
