import { baseKeymap, chainCommands, splitBlock } from "prosemirror-commands";
import { history } from "prosemirror-history";
import { keymap } from "prosemirror-keymap";
import { EditorState, Selection, TextSelection, type Command } from "prosemirror-state";
import { EditorView } from "prosemirror-view";
import { useEffect, useRef, useState, type RefObject } from "react";
import type { SavedText, Section } from "../api/types";
import { became, docOf, nextField, put, textIn, typedBefore, type Span } from "./plain_doc";
import { byShortcut, wording } from "./saved_texts";
import { useTextFields, type TextFields } from "./text_fields";

interface Props {
  section: Section;
  label: string;
  value: string;
  readOnly: boolean;
  texts: readonly SavedText[];
  /** Opens the list of templates and macros. */
  onPick: () => void;
  onChange: (text: string) => void;
}

interface Offer {
  text: SavedText;
  at: Span;
}

/** A reader's own words: plain text with undo, shortcuts that Tab writes out, and fields that Tab goes through. */
export function PlainEditor({ section, label, value, readOnly, texts, onPick, onChange }: Props) {
  const fields = useTextFields();
  const place = useRef<HTMLDivElement>(null);
  const [offer, setOffer] = useState<Offer | null>(null);
  const latest = useRef({ readOnly, texts, onPick, onChange });
  useEffect(() => { latest.current = { readOnly, texts, onPick, onChange }; });
  const view = useView({ section, label, value, fields, place, latest, onOffer: setOffer });
  useEffect(() => { view.current?.setProps({ editable: () => !readOnly, attributes: attributes(label, readOnly) }); }, [label, readOnly, view]);

  return (
    <div className="own-field">
      <div ref={place} />
      {offer !== null && !readOnly && (
        <p className="offer" role="status" ref={bringIntoView}>
          <kbd>Tab</kbd>
          {` puts in ${offer.text.kind} “${offer.text.title}”:`}
          <span className="prose">{wording(offer.text)}</span>
        </p>
      )}
    </div>
  );
}

function bringIntoView(element: HTMLElement | null): void {
  element?.scrollIntoView({ block: "nearest" });
}

interface ViewProps {
  section: Section;
  label: string;
  value: string;
  fields: TextFields;
  place: RefObject<HTMLDivElement | null>;
  latest: RefObject<Pick<Props, "readOnly" | "texts" | "onPick" | "onChange">>;
  onOffer: (offer: Offer | null) => void;
}

/** ProseMirror keeps the text; `value` is followed only where it is not an echo of what was typed. */
function useView({ section, label, value, fields, place, latest, onOffer }: ViewProps): RefObject<EditorView | null> {
  const view = useRef<EditorView | null>(null);
  const echoes = useRef<string[]>([]);
  const start = useRef({ value, label });

  useEffect(() => {
    if (place.current === null) return undefined;
    const doc = docOf(start.current.value);
    const made: EditorView = new EditorView(place.current, {
      state: EditorState.create({ doc, selection: Selection.atEnd(doc), plugins: [history(), keymap(keys(section, fields, latest)), keymap(baseKeymap)] }),
      attributes: attributes(start.current.label, latest.current.readOnly),
      editable: () => !latest.current.readOnly,
      clipboardTextSerializer: (slice) => slice.content.textBetween(0, slice.content.size, "\n"),
      dispatchTransaction: (tr) => {
        const state = made.state.apply(tr);
        made.updateState(state);
        onOffer(offered(state, latest.current.texts));
        if (!tr.docChanged) return;
        const text = textIn(state.doc);
        echoes.current.push(text);
        latest.current.onChange(text);
      },
      handleDOMEvents: { focus: () => { fields.entered(section); }, keydown: isThePages, paste: onPaste, drop: onDrop },
    });
    view.current = made;
    const remove = fields.add(section, made);
    return () => {
      remove();
      view.current = null;
      made.destroy();
    };
  }, [fields, latest, onOffer, place, section]);

  useEffect(() => {
    const made = view.current;
    if (made === null) return;
    const text = textIn(made.state.doc);
    const echo = echoes.current.indexOf(value);
    if (value === text) echoes.current = [];
    else if (echo >= 0) echoes.current.splice(0, echo + 1);
    else made.updateState(made.state.apply(became(made.state, value)));
  });
  return view;
}

/** Tab writes a shortcut out, or goes to the next field, or else leaves. */
function keys(section: Section, fields: TextFields, latest: ViewProps["latest"]): Record<string, Command> {
  const expand: Command = (state, dispatch) => {
    const offer = offered(state, latest.current.texts);
    if (offer === null || latest.current.readOnly) return false;
    if (dispatch) fields.insert(offer.text, { ...offer.at, section });
    return true;
  };
  const undo: Command = (_state, dispatch) => dispatch === undefined || fields.undo(section);
  const redo: Command = (_state, dispatch) => dispatch === undefined || fields.redo(section);
  const pick: Command = (_state, dispatch) => {
    if (dispatch) latest.current.onPick();
    return true;
  };
  return { Tab: chainCommands(expand, toField(1)), "Shift-Tab": toField(-1), "Mod-z": undo, "Mod-y": redo, "Shift-Mod-z": redo, "Mod-/": pick, "Shift-Enter": splitBlock };
}

function toField(direction: 1 | -1): Command {
  return (state, dispatch) => {
    const field = nextField(state, direction);
    if (field === null) return false;
    dispatch?.(state.tr.setSelection(TextSelection.create(state.doc, field.from, field.to)).scrollIntoView());
    return true;
  };
}

function offered(state: EditorState, texts: readonly SavedText[]): Offer | null {
  const typed = typedBefore(state);
  const text = typed === null ? null : byShortcut(texts, typed.word);
  return typed === null || text === null ? null : { text, at: { from: typed.from, to: typed.to } };
}

/** Ctrl+Enter and Escape are the page's; ProseMirror would take them for its own. */
function isThePages(_view: EditorView, { key, ctrlKey, metaKey }: KeyboardEvent): boolean {
  return key === "Escape" || (key === "Enter" && (ctrlKey || metaKey));
}

/** ProseMirror would read the clipboard's markup; here only its plain text comes in. */
function onPaste(view: EditorView, event: ClipboardEvent): boolean {
  event.preventDefault();
  const text = event.clipboardData?.getData("text/plain") ?? "";
  if (view.editable && text !== "") view.dispatch(put(view.state, text));
  return true;
}

function onDrop(view: EditorView, event: DragEvent): boolean {
  if (view.dragging !== null) return false;
  event.preventDefault();
  const text = event.dataTransfer?.getData("text/plain") ?? "";
  const at = view.posAtCoords({ left: event.clientX, top: event.clientY })?.pos;
  if (view.editable && text !== "" && at !== undefined) view.dispatch(put(view.state, text, { from: at, to: at }));
  return true;
}

function attributes(label: string, readOnly: boolean): Record<string, string> {
  return {
    class: "own-text",
    role: "textbox",
    "aria-multiline": "true",
    "aria-label": label,
    "aria-readonly": String(readOnly),
    "data-field": "",
    tabindex: "0",
    spellcheck: "true",
  };
}
