import { expect, it } from "vitest";
import { objection, rolesFor, sent, toggled } from "./person_form";
import type { NewPerson } from "./types";

const NORA: NewPerson = { username: "nora", name: "Dr Nora", roles: ["radiologist"], password: "a long password" };

it.each([
  [{}, null],
  [{ username: " nora.b+2@site " }, null],
  [{ username: "" }, "username"],
  [{ username: "two words" }, "username"],
  [{ username: ".nora" }, "username"],
  [{ username: "n".repeat(65) }, "username"],
  [{ name: "  " }, "name"],
  [{ roles: [] }, "roles"],
  [{ password: "" }, "password"],
  [{ username: "", password: "" }, "username"],
] satisfies [Partial<NewPerson>, keyof NewPerson | null][])("of %j the page objects to %s", (change, field) => {
  expect(objection({ ...NORA, ...change })?.field ?? null).toBe(field);
});

it("a password is sent as it was typed, names without the spaces around them", () => {
  expect(sent({ ...NORA, username: " nora", name: "Dr Nora ", password: " spaces " })).toEqual({ ...NORA, password: " spaces " });
});

it("people are offered no machine's role unless they hold it; machines are offered all", () => {
  expect(rolesFor("person", [])).toEqual(["radiologist", "viewer", "lead", "auditor", "admin"]);
  expect(rolesFor("person", ["ris"])).toContain("ris");
  expect(rolesFor("machine", [])).toHaveLength(7);
});

it("a role is taken and given back, in one order", () => {
  expect(toggled(["admin"], "radiologist")).toEqual(["radiologist", "admin"]);
  expect(toggled(["radiologist", "admin"], "admin")).toEqual(["radiologist"]);
});
