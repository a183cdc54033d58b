import type { SavedText, WriteText } from "../api/types";

export const FRESH: WriteText = { scope: "personal", kind: "macro", shortcut: "", title: "", findings: "", impression: "", text: "", procedure_code: "", procedure_description: "" };

/** A kept text as it is sent again. */
export function written({ scope, kind, shortcut, title, findings, impression, text, procedure_code, procedure_description }: SavedText): WriteText {
  return { scope, kind, shortcut, title, findings, impression, text, procedure_code, procedure_description };
}

/** The site's text as the beginning of one's own. */
export function copyOf(text: SavedText): WriteText {
  return { ...written(text), scope: "personal" };
}

/** What goes over the wire: nothing that belongs to the other kind. */
export function sent(text: WriteText): WriteText {
  const { scope, kind } = text;
  const named = { scope, kind, shortcut: text.shortcut.trim(), title: text.title.trim() };
  if (kind === "macro") return { ...FRESH, ...named, text: text.text };
  return { ...text, ...named, text: "" };
}

/** Why it cannot be kept, in words; null where it can, as far as the page sees. */
export function objection(text: WriteText): string | null {
  const { kind, shortcut, title } = text;
  if (!/^[\p{L}\p{N}_][\p{L}\p{N}_.-]{1,31}$/u.test(shortcut.trim())) return "The shortcut needs 2 to 32 letters, digits, dots or hyphens, without a space.";
  if (title.trim() === "") return "It needs a title.";
  const words = kind === "macro" ? text.text : `${text.findings}${text.impression}`;
  return words.trim() === "" ? "There is no text in it yet." : null;
}
