import { PANE_ACTIONS } from "../viewer/pane_keys";

/** Where the focus is when a key means something. "study" is everywhere in an open study: in its report and on its images. */
export type Place = "list" | "study" | "report" | "image";

export const PLACES: Readonly<Record<Place, string>> = {
  list: "In the worklist",
  study: "In a study, outside of text",
  report: "In the report, outside of text",
  image: "On an image",
};

/** What a reader may give another key. key: the page's own; id: how the service keeps it, never to be changed. */
export interface KeyAct {
  id: string;
  place: Place;
  key: string;
  name: string;
}

const LIST: readonly (readonly [string, string, string])[] = [
  ["next", "j", "next study"],
  ["last", "k", "last study"],
  ["search", "/", "search"],
  ["filters", "f", "filters"],
];
const STUDY: readonly (readonly [string, string, string])[] = [
  ["next", "n", "next study of the list, as it was sorted and filtered"],
  ["regions", "b", "evidence regions of the draft's sentences, on or off"],
];
const REPORT: readonly (readonly [string, string, string])[] = [
  ["accept", "a", "accept the sentence, and go on to the next undecided"],
  ["reject", "x", "reject the sentence, and go on to the next undecided"],
  ["edit", "e", "edit the sentence"],
  ["restore", "r", "restore the draft's wording of the sentence, undecided"],
  ["wrong", "w", "say what is wrong with the sentence"],
  ["region", "g", "go to the sentence's evidence region; there Enter goes back"],
  ["next", "j", "next sentence"],
  ["last", "k", "last sentence"],
  ["flag", "f", "next open flag"],
  ["undo", "u", "undo the last decision"],
  ["changes", "d", "changes against the draft"],
  ["texts", "t", "templates and macros"],
  ["critical", "c", "critical result"],
];

const of = (place: Place, rows: typeof LIST) => rows.map(([name, key, words]) => ({ id: `${place}.${name}`, place, key, name: words }));

/** Every key that can be changed. Arrows, Enter, Escape, Tab and what is pressed with Ctrl cannot: they are what a browser's users know. */
export const KEY_ACTS: readonly KeyAct[] = [
  ...of("list", LIST),
  ...of("study", STUDY),
  ...of("report", REPORT),
  ...PANE_ACTIONS.flatMap(({ id, keys, name }) => (id === undefined ? [] : keys.map((key) => ({ id: `image.${id}`, place: "image" as const, key, name })))),
];
