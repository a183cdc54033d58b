import { closeHistory, redo, undo } from "prosemirror-history";
import type { Node } from "prosemirror-model";
import type { Transaction } from "prosemirror-state";
import { Selection } from "prosemirror-state";
import type { EditorView } from "prosemirror-view";
import { createContext, useContext } from "react";
import type { SavedText, Section } from "../api/types";
import { between, put, putSpoken, type Span } from "./plain_doc";
import { parts } from "./saved_texts";

/** Takes words at its cursor. */
export interface Field {
  speak: (text: string) => void;
}

const SECTIONS: readonly Section[] = ["findings", "impression"];

/**
 * The places of one report where text can be put: own findings, own impression, a sentence that is being edited.
 * What is put in goes to the one that had the cursor last; the focus stays where it is.
 */
export class TextFields {
  private readonly views = new Map<Section, EditorView>();
  private last: Field | null = null;
  /** Both sections right after a template came in, and right after it was taken back. */
  private filled: ReadonlyMap<Section, Node> | null = null;
  private emptied: ReadonlyMap<Section, Node> | null = null;

  add(section: Section, view: EditorView): () => void {
    this.views.set(section, view);
    return () => {
      if (this.views.get(section) === view) this.views.delete(section);
    };
  }

  /** The cursor is here now. */
  entered(field: Field | Section): void {
    this.last = typeof field === "string" ? this.field(field) : field;
  }

  left(field: Field): void {
    if (this.last === field) this.last = null;
  }

  /** Dictated words, at the cursor. Returns whether there is a place for them. */
  speak(text: string): boolean {
    const place = this.last ?? this.field("findings");
    place?.speak(text);
    return place !== null;
  }

  /** A macro where the cursor is (or in place of its shortcut), a template in both sections: one step to undo. */
  insert(text: SavedText, at?: Span & { section: Section }): void {
    const sections = parts(text);
    if (sections === null) this.putIn(at?.section ?? this.sectionInUse(), text.text, at);
    else this.fill(sections, at);
  }

  /** Undo in one section; where that takes a template back, in both. */
  undo(section: Section): boolean {
    return this.together(section, undo, this.filled, (after) => { this.emptied = after; });
  }

  redo(section: Section): boolean {
    return this.together(section, redo, this.emptied, (after) => { this.filled = after; });
  }

  focus(section: Section): void {
    this.views.get(section)?.focus();
  }

  /** Where the next macro goes. */
  sectionInUse(): Section {
    return SECTIONS.find((section) => this.field(section) === this.last && this.last !== null) ?? "findings";
  }

  private readonly fields = new Map<Section, Field>();

  private field(section: Section): Field | null {
    if (!this.views.has(section)) return null;
    const known = this.fields.get(section) ?? { speak: (text: string) => { this.speakIn(section, text); } };
    this.fields.set(section, known);
    return known;
  }

  private speakIn(section: Section, text: string): void {
    const view = this.views.get(section);
    if (view?.editable === true) view.dispatch(putSpoken(view.state, text));
  }

  private fill(text: Readonly<Record<Section, string>>, at?: Span & { section: Section }): void {
    for (const section of SECTIONS) {
      if (section === at?.section) this.putIn(section, text[section], at);
      else if (text[section] !== "") this.putAtEnd(section, text[section]);
    }
    this.filled = this.docs();
  }

  private putIn(section: Section, text: string, over?: Span): void {
    const view = this.views.get(section);
    if (view?.editable === true) step(view, put(view.state, text, over));
  }

  private putAtEnd(section: Section, text: string): void {
    const view = this.views.get(section);
    if (view?.editable !== true) return;
    const { doc } = view.state;
    const last = doc.lastChild?.textContent ?? "";
    const end = Selection.atEnd(doc);
    step(view, put(view.state, last === "" ? text : `\n${text}`, end));
  }

  private docs(): ReadonlyMap<Section, Node> {
    return new Map([...this.views].map(([section, view]) => [section, view.state.doc]));
  }

  private together(section: Section, command: typeof undo, marked: ReadonlyMap<Section, Node> | null, done: (after: ReadonlyMap<Section, Node>) => void): boolean {
    const view = this.views.get(section);
    if (view === undefined) return false;
    const both = marked?.get(section) === view.state.doc ? marked : null;
    if (!command(view.state, view.dispatch)) return false;
    if (both === null) return true;
    for (const [other, at] of this.views) {
      if (other !== section && both.get(other) === at.state.doc) command(at.state, at.dispatch);
    }
    done(this.docs());
    return true;
  }
}

/** One change that is undone by itself, whatever was typed right before and after it. */
function step(view: EditorView, tr: Transaction): void {
  view.dispatch(closeHistory(tr));
  view.dispatch(closeHistory(view.state.tr));
}

/** A plain text area as a field: its own undo takes the words back. */
export function areaField(area: HTMLTextAreaElement): Field {
  return {
    speak: (text) => {
      const spoken = between(area.value.slice(0, area.selectionStart), text, area.value.slice(area.selectionEnd));
      area.setRangeText(spoken, area.selectionStart, area.selectionEnd, "end");
      area.dispatchEvent(new Event("input", { bubbles: true }));
    },
  };
}

export const TextFieldsContext = createContext(new TextFields());

export function useTextFields(): TextFields {
  return useContext(TextFieldsContext);
}
