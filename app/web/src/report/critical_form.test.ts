import { describe, expect, it } from "vitest";
import type { CriticalFinding } from "../api/types";
import { criticalTime, knownInWords } from "../words/critical_time";
import { factsOf, localMinute, missing, openingOf, recordOf, type Facts } from "./critical_form";

const WHOLE: Facts = { finding: " Tension pneumothorax ", foundAt: "2026-03-01T07:50", toldTo: "Dr Ward", toldAt: "2026-03-01T07:55", method: "telephone", readBack: "no" };

describe("a critical result", () => {
  it("is recorded with its six facts", () => {
    expect(recordOf(WHOLE, "f1")).toEqual({
      finding: "Tension pneumothorax",
      found_at: new Date("2026-03-01T07:50").toISOString(),
      told_to: "Dr Ward",
      told_at: new Date("2026-03-01T07:55").toISOString(),
      method: "telephone",
      read_back: false,
      critical_finding_id: "f1",
    });
  });

  it.each(Object.keys(WHOLE) as (keyof Facts)[])("is not recorded without %s, and says what is missing", (key) => {
    for (const empty of ["", "  "]) {
      const facts = { ...WHOLE, [key]: empty };
      expect(missing(facts).map(([name]) => name)).toEqual([key]);
      expect(() => recordOf(facts, "f1")).toThrow(RangeError);
    }
  });

  it("takes no time that is none", () => {
    expect(missing({ ...WHOLE, toldAt: "yesterday" })).toEqual([["toldAt", "when he was told"]]);
  });

  it("is opened with what was found and when, and with nothing less", () => {
    const { finding, foundAt } = WHOLE;
    expect(openingOf({ finding, foundAt })).toEqual({ finding: "Tension pneumothorax", found_at: new Date("2026-03-01T07:50").toISOString() });
    for (const [key, empty] of [["finding", " "], ["foundAt", ""], ["foundAt", "soon"]] as const) {
      const found = { finding, foundAt, [key]: empty };
      expect(missing(found).map(([name]) => name)).toEqual([key]);
      expect(() => openingOf(found)).toThrow(RangeError);
    }
  });

  it("takes over what is known of an open one", () => {
    const found = new Date(2026, 2, 1, 7, 5, 40);
    const open = { finding: "Free air", found_at: found.toISOString() } as CriticalFinding;
    expect(factsOf(open)).toEqual({ finding: "Free air", foundAt: "2026-03-01T07:05", toldTo: "", toldAt: "", method: "", readBack: "" });
    expect(localMinute(new Date(2026, 11, 31, 23, 59))).toBe("2026-12-31T23:59");
  });

  it.each([
    ["2026-03-01T07:50:30Z", "Known for 0 min, 59 min left", false],
    ["2026-03-01T08:49:59Z", "Known for 59 min, 0 min left", false],
    ["2026-03-01T08:50:00Z", "Known for 1 h 00, overdue by 0 min", true],
    ["2026-03-01T09:53:00Z", "Known for 2 h 03, overdue by 1 h 03", true],
    ["2026-03-01T07:49:00Z", "Known for 0 min, 1 h 01 left", false],
  ])("at %s: %s", (at, words, overdue) => {
    const times = { found_at: "2026-03-01T07:50:00Z", due_at: "2026-03-01T08:50:00Z" };
    expect(knownInWords(times, Date.parse(at))).toBe(words);
    expect(criticalTime(times.due_at, Date.parse(at)).overdue).toBe(overdue);
  });
});
