import { expect, it } from "vitest";
import { ANYTHING, askable, objection, parameters, type Wanted } from "./wanted";

it("what is left empty is not asked for", () => {
  expect(parameters({ ...ANYTHING, actor: "  " })).toEqual({ order: "newest" });
});

it("every filter goes by the service's name, and a moment of this place in UTC", () => {
  const wanted: Wanted = { from: "2026-03-01T08:00", until: "2026-03-02T08:00", actor: " user:ada ", action: "report", outcome: "failure", study: "1.2.3", order: "oldest" };
  expect(parameters(wanted)).toEqual({
    from: new Date(2026, 2, 1, 8).toISOString(),
    to: new Date(2026, 2, 2, 8).toISOString(),
    actor: "user:ada",
    action: "report",
    outcome: "failure",
    study: "1.2.3",
    order: "oldest",
  });
});

it.each([
  [{}, null],
  [{ from: "2026-03-01T08:00" }, null],
  [{ from: "2026-03-01T08:00", until: "2026-03-01T08:01" }, null],
  [{ from: "2026-03-01T08:00", until: "2026-03-01T08:00" }, "until"],
  [{ from: "2026-03-02T08:00", until: "2026-03-01T09:00" }, "until"],
  [{ study: " 1.2.840 " }, null],
  [{ study: "Doe^Jane" }, "study"],
  [{ study: "1".repeat(65) }, "study"],
] satisfies [Partial<Wanted>, keyof Wanted | null][])("of the search %j the page objects to %s", (change, field) => {
  expect(objection({ ...ANYTHING, ...change })?.field ?? null).toBe(field);
});

it("actions are offered by themselves and by their groups, each once", () => {
  expect(askable(["report.signed", "auth.login", "report.started", "report.signed"])).toEqual(["auth", "auth.login", "report", "report.signed", "report.started"]);
});
