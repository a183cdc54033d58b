import { expect, it } from "vitest";
import { factsOf, secondInWords } from "./details";

it("each fact is told by its name, as text", () => {
  const told = factsOf({ username: "nora", roles: ["lead", "admin"], ok: false, seconds: 0.5, owner: null, note: "", none: [], nested: { a: [1, "b"] } });
  expect(told.map(({ name, words }) => [name, words])).toEqual([
    ["username", "nora"],
    ["roles", "lead, admin"],
    ["ok", "no"],
    ["seconds", "0.5"],
    ["owner", "none"],
    ["note", "(empty)"],
    ["none", "none"],
    ["nested", '{"a":[1,"b"]}'],
  ]);
  expect(told.every(({ summary }) => summary === null)).toBe(true);
});

it("what is long is folded away whole", () => {
  const studies = Array.from({ length: 1000 }, (_, index) => `1.2.${index}`);
  const [list, text] = factsOf({ studies, text: "x".repeat(400) });
  expect([list?.summary, text?.summary]).toEqual(["1000 values", "400 characters"]);
  expect(list?.words.split(", ")).toEqual(studies);
});

it("times are told to the second, and what is no time as it stands", () => {
  const at = new Date(2026, 2, 1, 8, 5, 9);
  expect(secondInWords(at.toISOString())).toBe("1 Mar 2026, 08:05:09");
  expect(secondInWords("2026-03-01T08:05:09.123456+00:00")).toMatch(/^1 Mar 2026, \d\d:\d\d:09$/);
  expect(secondInWords("yesterday")).toBe("yesterday");
});
