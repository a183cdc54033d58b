import { KEY_ACTS, type KeyAct, type Place } from "./catalogue";

/** The keys that a reader has changed, by act; "" for none. */
export type Changes = Readonly<Record<string, string>>;

export type Pressed = Pick<KeyboardEvent, "key" | "ctrlKey" | "altKey" | "metaKey">;

/** The browser's own, or nobody's: reload, address bar, full screen, developer tools. */
const NOT_OURS = new Set(["F5", "F6", "F11", "F12"]);
/** One character, none that cannot be seen. */
const SIGN = /^\S$/u;
/** Whose keys work in a place beside its own. */
const BESIDE: Readonly<Record<Place, readonly Place[]>> = { list: [], study: ["report", "image"], report: ["study"], image: ["study"] };

/** The key of an act: the reader's, else the page's own; "" where the reader wants none. */
export function keyOf(act: KeyAct, changes: Changes): string {
  return changes[act.id] ?? act.key;
}

/** The acts whose keys work where the focus is in `place`. */
export function actsNear(place: Place): readonly KeyAct[] {
  return KEY_ACTS.filter((act) => act.place === place || BESIDE[place].includes(act.place));
}

/** A letter is the same with Shift and without. */
export function plain(key: string): string {
  return SIGN.test(key) ? key.toLowerCase() : key;
}

/**
 * What a key press means in a place, as the page's own key of that act, so that whoever listens knows only those. A key
 * that means nothing there any more is undefined, as is one with Ctrl, Alt or Meta: those are the browser's.
 */
export function meaning(pressed: Pressed, place: Place, changes: Changes): string | undefined {
  if (pressed.ctrlKey || pressed.altKey || pressed.metaKey) return undefined;
  const key = plain(pressed.key);
  const near = actsNear(place);
  const act = key === "" ? undefined : near.find((one) => keyOf(one, changes) === key);
  if (act !== undefined) return act.key;
  return near.some((one) => one.key === key) ? undefined : key;
}

/** Whether a key can be given to an act at all. */
export function isFree(key: string): boolean {
  return SIGN.test(key) || (/^F([1-9]|1\d|2[0-4])$/.test(key) && !NOT_OURS.has(key));
}

/** The act that already has this key where `act` would have it. */
export function clash(key: string, act: KeyAct, changes: Changes): KeyAct | undefined {
  return actsNear(act.place).find((other) => other !== act && keyOf(other, changes) === key);
}

/** `changes` with another key for one act; what is as the page has it is no change. */
export function withKey(changes: Changes, act: KeyAct, key: string): Changes {
  const others = Object.entries(changes).filter(([id]) => id !== act.id);
  return Object.fromEntries(key === act.key ? others : [...others, [act.id, key]]);
}

/** As it is written on the key. */
export function keyInWords(key: string): string {
  return key === "" ? "none" : SIGN.test(key) ? key.toUpperCase() : key.replace("Arrow", "").replace("Page", "Page ");
}
