import { useQuery } from "@tanstack/react-query";
import type { SavedText, Section, Study } from "../api/types";
import { useServices } from "../app_context";

/** The site's templates and macros and the reader's own; of two with one shortcut the reader's own comes first. */
export function useSavedTexts(enabled = true): readonly SavedText[] {
  const { client } = useServices();
  return useQuery({ queryKey: ["report-texts"], queryFn: () => client.texts(), staleTime: 60_000, enabled }).data ?? NONE;
}

const NONE: readonly SavedText[] = [];

/** The text of this shortcut, whatever its case. */
export function byShortcut(texts: readonly SavedText[], word: string): SavedText | null {
  return texts.find(({ shortcut }) => shortcut === word.toLowerCase()) ?? null;
}

/** The template that is the default for the study's procedure, if there is one. */
export function defaultFor(texts: readonly SavedText[], study: Study): SavedText | null {
  const wanted = folded(study.description ?? "");
  if (wanted === "") return null;
  return texts.find(({ kind, procedure_code, procedure_description }) => kind === "template" && [procedure_code, procedure_description].some((one) => folded(one) === wanted)) ?? null;
}

/** Those whose shortcut, title or words have what is looked for. */
export function matching(texts: readonly SavedText[], sought: string): SavedText[] {
  const wanted = folded(sought);
  return texts.filter((text) => folded([text.shortcut, text.title, wording(text)].join(" ")).includes(wanted));
}

/** What a text puts into each section; a macro goes where the cursor is. */
export function parts({ kind, findings, impression }: SavedText): Readonly<Record<Section, string>> | null {
  return kind === "template" ? { findings, impression } : null;
}

/** All its words, as a preview. */
export function wording({ kind, text, findings, impression }: SavedText): string {
  if (kind === "macro") return text;
  return [findings === "" ? "" : `Findings: ${findings}`, impression === "" ? "" : `Impression: ${impression}`].filter((part) => part !== "").join("\n");
}

function folded(text: string): string {
  return text.trim().toLowerCase();
}
