export const USUAL_DAYS = 30;

const DAY = 24 * 60 * 60_000;
/** What the service takes. */
export const FIRST_DAY = "1990-01-01";
export const LAST_DAY = "2199-12-31";
const LONGEST = 366;

/** Days as YYYY-MM-DD in UTC, both included. */
export interface Period {
  from: string;
  to: string;
}

/** So many days, the last of them the day of `now`. */
export function lastDays(days: number, now: number): Period {
  return { from: isoDay(now - (days - 1) * DAY), to: isoDay(now) };
}

export function isSamePeriod(one: Period, other: Period): boolean {
  return one.from === other.from && one.to === other.to;
}

/** Why these days cannot be asked for, and what to do; null where they can. */
export function periodFault({ from, to }: Period): string | null {
  const [start, end] = [Date.parse(from), Date.parse(to)];
  if (Number.isNaN(start) || Number.isNaN(end)) return "Not shown. A day is missing or incomplete; give both days.";
  if (start < Date.parse(FIRST_DAY) || end > Date.parse(LAST_DAY)) return "Not shown. Only days from 1990 to 2199 can be asked for; correct the year.";
  if (start > end) return "Not shown. The first day comes after the last; put the earlier day first.";
  if (end - start > LONGEST * DAY) return "Not shown. The days are more than a year apart; choose fewer days.";
  return null;
}

function isoDay(moment: number): string {
  return new Date(moment).toISOString().slice(0, 10);
}
