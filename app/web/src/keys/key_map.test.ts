import fc from "fast-check";
import { expect, it } from "vitest";
import { KEY_ACTS, type KeyAct } from "./catalogue";
import { actsNear, clash, isFree, keyInWords, keyOf, meaning, withKey, type Changes } from "./key_map";

const press = (key: string, place: KeyAct["place"], changes: Changes, held = {}) => meaning({ key, ctrlKey: false, altKey: false, metaKey: false, ...held }, place, changes);
const SIGNS = "abcdefghijklmnopqrstuvwxyz0123456789/+-=".match(/./g) ?? [];
const act = (id: string): KeyAct => {
  const found = KEY_ACTS.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no act ${id}`);
  return found;
};

it("has each act once, under a name that the service takes, on a key that a reader could choose", () => {
  expect(new Set(KEY_ACTS.map(({ id }) => id)).size).toBe(KEY_ACTS.length);
  for (const one of KEY_ACTS) {
    expect(one.id).toMatch(/^[a-z]{1,16}\.[a-z_]{1,32}$/);
    expect(isFree(one.key)).toBe(true);
    expect(clash(one.key, one, {})).toBeUndefined();
    expect(press(one.key, one.place, {})).toBe(one.key);
  }
});

it("a key that was given away does what it was given for, and its own act's key nothing more", () => {
  const changes = withKey(withKey({}, act("report.accept"), "q"), act("image.invert"), "F2");
  expect([press("q", "report", changes), press("Q", "report", changes), press("a", "report", changes)]).toEqual(["a", "a", undefined]);
  expect([press("F2", "image", changes), press("i", "image", changes), press("F2", "report", changes)]).toEqual(["i", undefined, "F2"]);
  expect(press("q", "image", changes)).toBe("q");
});

it("an act may have no key, and a change back is no change", () => {
  const off = withKey({}, act("report.reject"), "");
  expect(press("x", "report", off)).toBeUndefined();
  expect(press("", "report", off)).toBe("");
  expect(withKey(off, act("report.reject"), "x")).toEqual({});
});

it("two acts that work in one place cannot share a key; those of places apart can", () => {
  expect(clash("n", act("report.accept"), {})?.id).toBe("study.next");
  expect(clash("i", act("study.next"), {})?.id).toBe("image.invert");
  expect(clash("j", act("image.invert"), {})).toBeUndefined();
  expect(clash("z", act("report.accept"), {})).toBeUndefined();
  expect(clash("a", act("report.edit"), withKey({}, act("report.accept"), "q"))).toBeUndefined();
});

it("leaves the browser's own keys alone", () => {
  for (const held of [{ ctrlKey: true }, { altKey: true }, { metaKey: true }]) expect(press("a", "report", {}, held)).toBeUndefined();
  for (const key of ["F5", "F6", "F11", "F12", "F0", "F25", " ", "", "Enter", "Escape", "ArrowUp", "Tab", "ab"]) expect(isFree(key)).toBe(false);
  for (const key of ["q", "é", "я", "7", "?", "F2", "F24", "𝛼"]) expect(isFree(key)).toBe(true);
});

it("after any choices that were let through, every act with a key is reached by it and by no other", () => {
  const wish = fc.tuple(fc.constantFrom(...KEY_ACTS), fc.constantFrom("", ...SIGNS, "F2", "é"));
  fc.assert(fc.property(fc.array(wish, { maxLength: 60 }), (wishes) => {
    const changes = wishes.reduce<Changes>((now, [one, key]) => (key !== "" && clash(key, one, now) !== undefined ? now : withKey(now, one, key)), {});
    for (const one of KEY_ACTS) {
      const key = keyOf(one, changes);
      const reached = actsNear(one.place).filter((other) => keyOf(other, changes) === key);
      if (key !== "") expect(reached).toEqual([one]);
      if (key !== "") expect(press(key, one.place, changes)).toBe(one.key);
      else expect(press(one.key, one.place, changes)).not.toBe(one.key);
    }
  }), { numRuns: 300 });
});

it("says keys as they are written on them", () => {
  expect(["a", "F2", "", "PageDown", "ArrowUp", "é"].map(keyInWords)).toEqual(["A", "F2", "none", "Page Down", "Up", "É"]);
});
