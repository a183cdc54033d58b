import { expect, it } from "vitest";
import { lastDays, periodFault } from "./period";

it.each([
  ["2026-03-01T00:00:00Z", 1, "2026-03-01", "2026-03-01"],
  ["2026-03-01T23:59:59Z", 30, "2026-01-31", "2026-03-01"],
  ["2028-03-01T12:00:00Z", 7, "2028-02-24", "2028-03-01"],
])("at %s the last %d days are %s to %s", (now, days, from, to) => {
  expect(lastDays(days, Date.parse(now))).toEqual({ from, to });
});

it.each([
  ["2026-03-01", "2026-03-01", null],
  ["2025-03-01", "2026-03-02", null],
  ["2025-03-01", "2026-03-03", "more than a year"],
  ["2026-03-02", "2026-03-01", "earlier day first"],
  ["", "2026-03-01", "give both days"],
  ["2026-03-01", "", "give both days"],
  ["1989-12-31", "1990-01-01", "from 1990 to 2199"],
  ["2199-12-31", "2200-01-01", "from 1990 to 2199"],
])("from %s to %s can be asked for, or why not is said: %s", (from, to, said) => {
  const fault = periodFault({ from, to });
  if (said === null) expect(fault).toBeNull();
  else expect(fault).toContain(said);
});
