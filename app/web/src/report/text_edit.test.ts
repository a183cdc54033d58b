import { expect, it } from "vitest";
import type { SavedText, Study, WriteText } from "../api/types";
import { byShortcut, defaultFor, matching, wording } from "./saved_texts";
import { copyOf, FRESH, objection, sent } from "./text_edit";

const kept = (values: Partial<SavedText>): SavedText => ({ ...FRESH, id: values.shortcut ?? "x", etag: "1", updated_at: "2026-01-01T00:00:00Z", ...values });

const NORMAL = kept({ kind: "template", scope: "site", shortcut: "ncx", title: "Normal chest", findings: "Clear lungs.", impression: "Normal.", procedure_description: "Chest PA" });
const NODULE = kept({ kind: "macro", scope: "personal", shortcut: "nod", title: "Nodule", text: "Nodule of [size] mm." });
const TEXTS = [NORMAL, NODULE];

it("is found by its shortcut whatever its case, and by any of its words", () => {
  expect(byShortcut(TEXTS, "NCX")).toBe(NORMAL);
  expect(byShortcut(TEXTS, "nc")).toBeNull();
  expect(matching(TEXTS, "clear")).toEqual([NORMAL]);
  expect(matching(TEXTS, "")).toEqual(TEXTS);
  expect([wording(NORMAL), wording(NODULE)]).toEqual(["Findings: Clear lungs.\nImpression: Normal.", "Nodule of [size] mm."]);
});

it("is the default for a study of its procedure and for no other", () => {
  const of = (description: string | null) => defaultFor(TEXTS, { description } as Study);
  expect([of("CHEST pa "), of("Abdomen"), of(""), of(null)]).toEqual([NORMAL, null, null, null]);
});

it("a copy of the site's is one's own, and has nothing of the other kind in it", () => {
  expect(copyOf(NORMAL)).toMatchObject({ scope: "personal", shortcut: "ncx", findings: "Clear lungs." });
  expect(sent({ ...copyOf(NORMAL), text: "left over" }).text).toBe("");
  expect(sent({ ...copyOf(NORMAL), kind: "macro", text: "Words." })).toEqual({ ...FRESH, shortcut: "ncx", title: "Normal chest", text: "Words." });
});

it("what the service would refuse is said before", () => {
  const macro: WriteText = { ...FRESH, shortcut: "ab", title: "Title", text: "Words." };
  expect(objection(macro)).toBeNull();
  for (const shortcut of ["a", "", "a b", "-ab", "x".repeat(33)]) expect(objection({ ...macro, shortcut })).toContain("shortcut");
  expect(objection({ ...macro, title: " " })).toContain("title");
  expect(objection({ ...macro, text: "\n" })).toContain("no text");
  expect(objection({ ...macro, kind: "template" })).toContain("no text");
  expect(objection({ ...macro, kind: "template", impression: "Normal." })).toBeNull();
});
