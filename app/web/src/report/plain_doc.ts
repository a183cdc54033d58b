import { Fragment, Schema, Slice, type Node } from "prosemirror-model";
import { type EditorState, type Transaction, TextSelection } from "prosemirror-state";
import { writable } from "./wording";

/** Lines of characters and nothing else: what is typed here leaves as plain text. */
export const PLAIN = new Schema({
  nodes: {
    doc: { content: "line+" },
    line: { content: "text*", parseDOM: [{ tag: "p" }, { tag: "div" }], toDOM: () => ["div", 0] },
    text: {},
  },
});

/** A place to be filled in: "[size]", "[left/right]". */
const FIELD = /\[[^[\]\n]*\]/g;

export interface Span {
  from: number;
  to: number;
}

export function docOf(text: string): Node {
  return PLAIN.node("doc", null, linesOf(text));
}

export function textIn(doc: Node): string {
  return Array.from({ length: doc.childCount }, (_, at) => doc.child(at).textContent).join("\n");
}

/** Puts plain text in place of what is selected, or of `over`; the cursor comes to its first field, else behind it. */
export function put(state: EditorState, text: string, over: Span = state.selection): Transaction {
  const slice = new Slice(Fragment.from(linesOf(writable(text))), 1, 1);
  const before = state.doc.content.size - (over.to - over.from);
  const tr = state.tr.replace(over.from, over.to, slice);
  const end = over.from + (tr.doc.content.size - before);
  const field = fieldsOf(tr.doc).find(({ from, to }) => from >= over.from && to <= end);
  return tr.setSelection(field === undefined ? TextSelection.near(tr.doc.resolve(end), -1) : TextSelection.create(tr.doc, field.from, field.to)).scrollIntoView();
}

/** Puts plain text where the cursor is and leaves the cursor behind it, a space between two words. */
export function putSpoken(state: EditorState, text: string): Transaction {
  const { $from, $to, from, to } = state.selection;
  const before = $from.parent.textBetween(0, $from.parentOffset);
  const after = $to.parent.textBetween($to.parentOffset, $to.parent.content.size);
  return state.tr.insertText(between(before, writable(text).replaceAll("\n", " "), after), from, to);
}

/** Spoken words as they go between two texts: with a space where words would run together. */
export function between(before: string, spoken: string, after: string): string {
  return `${isApart(before, spoken) ? "" : " "}${spoken}${isApart(spoken, after) ? "" : " "}`;
}

function isApart(before: string, after: string): boolean {
  return before === "" || after === "" || /[\s([]$/.test(before) || /^[\s.,;:!?)\]]/.test(after);
}

/** Takes over a text from outside; only what differs is replaced, so that the cursor stays where it was. */
export function became(state: EditorState, text: string): Transaction {
  const next = docOf(text);
  const start = state.doc.content.findDiffStart(next.content);
  if (start === null) return state.tr;
  const ends = state.doc.content.findDiffEnd(next.content) ?? { a: start, b: start };
  const overlap = Math.max(0, start - Math.min(ends.a, ends.b));
  return state.tr.replace(start, ends.a + overlap, next.slice(start, ends.b + overlap));
}

export function fieldsOf(doc: Node): Span[] {
  const fields: Span[] = [];
  doc.forEach((line, offset) => {
    for (const { index, 0: found } of line.textContent.matchAll(FIELD)) fields.push({ from: offset + 1 + index, to: offset + 1 + index + found.length });
  });
  return fields;
}

/** The field after the cursor, or before it; null where there is none. */
export function nextField({ doc, selection }: EditorState, direction: 1 | -1): Span | null {
  const fields = fieldsOf(doc);
  if (direction === 1) return fields.find(({ from }) => from >= selection.to) ?? null;
  return fields.filter(({ to }) => to <= selection.from).at(-1) ?? null;
}

/** What may be a shortcut right before the cursor, in small letters, and where it stands; null while text is selected. */
export function typedBefore({ selection }: EditorState): (Span & { word: string }) | null {
  if (!selection.empty) return null;
  const { $from, from } = selection;
  const found = /(?<![\p{L}\p{N}_.-])[\p{L}\p{N}_][\p{L}\p{N}_.-]{1,31}$/u.exec($from.parent.textBetween(0, $from.parentOffset));
  return found === null ? null : { word: found[0].toLowerCase(), from: from - found[0].length, to: from };
}

/** Fields of a text that nobody has filled. */
export function unfilled(text: string): string[] {
  return text.match(FIELD) ?? [];
}

function linesOf(text: string): Node[] {
  return text.split("\n").map((line) => PLAIN.node("line", null, line === "" ? [] : [PLAIN.text(line)]));
}
