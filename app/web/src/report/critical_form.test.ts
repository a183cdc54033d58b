import { describe, expect, it } from "vitest";
import { begunAt, isBegun, localMinute, missing, openFor, recordOf, type Facts } from "./critical_form";

const WHOLE: Facts = { finding: " Tension pneumothorax ", foundAt: "2026-03-01T07:50", toldTo: "Dr Ward", toldAt: "2026-03-01T07:55", method: "telephone", readBack: "no" };

describe("a critical result", () => {
  it("is recorded with its six facts", () => {
    expect(recordOf(WHOLE)).toEqual({
      finding: "Tension pneumothorax",
      found_at: new Date("2026-03-01T07:50").toISOString(),
      told_to: "Dr Ward",
      told_at: new Date("2026-03-01T07:55").toISOString(),
      method: "telephone",
      read_back: false,
    });
  });

  it.each(Object.keys(WHOLE) as (keyof Facts)[])("is not recorded without %s, and says what is missing", (key) => {
    for (const empty of ["", "  "]) {
      const facts = { ...WHOLE, [key]: empty };
      expect(missing(facts).map(([name]) => name)).toEqual([key]);
      expect(() => recordOf(facts)).toThrow(RangeError);
    }
  });

  it("takes no time that is none", () => {
    expect(missing({ ...WHOLE, toldAt: "yesterday" })).toEqual([["toldAt", "when he was told"]]);
  });

  it("begins with the time it was found, and is open from its first word", () => {
    const begun = begunAt(new Date(2026, 2, 1, 7, 5));
    expect(begun.foundAt).toBe("2026-03-01T07:05");
    expect(isBegun(begun)).toBe(false);
    expect(isBegun({ ...begun, finding: "x" })).toBe(true);
    expect(localMinute(new Date(2026, 11, 31, 23, 59))).toBe("2026-12-31T23:59");
  });

  it("says how long nobody was told", () => {
    const found = Date.parse("2026-03-01T07:50");
    expect([0, 59_999, 12 * 60_000, 125 * 60_000, -60_000].map((later) => openFor("2026-03-01T07:50", found + later))).toEqual(["0 min", "0 min", "12 min", "2 h 5 min", "0 min"]);
  });
});
