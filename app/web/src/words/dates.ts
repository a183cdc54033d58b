const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Reads DICOM DA (YYYYMMDD) or ISO (YYYY-MM-DD…); null where it is neither or no such day. */
export function readDay(text: string | null): Date | null {
  const match = /^(\d{4})-?(\d{2})-?(\d{2})/.exec(text ?? "");
  if (match === null) return null;
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number];
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date : null;
}

/** "12 Mar 2026": the month in letters, so that no reader takes it for another order of numbers. */
export function dayInWords(text: string | null): string {
  const date = readDay(text);
  if (date === null) return text === null || text === "" ? "date unknown" : text;
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()] ?? ""} ${date.getUTCFullYear()}`;
}

/** "12 Mar 2026, 14:05" in the reader's own time zone. */
export function momentInWords(iso: string | null): string {
  const date = new Date(iso ?? "");
  if (Number.isNaN(date.getTime())) return "time unknown";
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${dayInWords(day)}, ${timeInWords(date)}`;
}

/** "14:05" in the reader's own time zone. */
export function timeInWords(date: Date): string {
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** How long the earlier day lies before the later: "same day", "9 days", "5 weeks", "8 months", "2 years 3 months". */
export function intervalInWords(earlier: string | null, later: string | null): string | null {
  const [from, to] = [readDay(earlier), readDay(later)];
  if (from === null || to === null || from > to) return null;
  const days = Math.round((to.getTime() - from.getTime()) / DAY);
  if (days === 0) return "same day";
  if (days < 21) return counted(days, "day");
  const months = wholeMonths(from, to);
  if (months < 3) return counted(Math.floor(days / 7), "week");
  if (months < 24) return counted(months, "month");
  const rest = months % 12;
  return counted(Math.floor(months / 12), "year") + (rest === 0 ? "" : ` ${counted(rest, "month")}`);
}

/** Age of something since `iso`: "now", "4 min", "2 h 05", "3 d". */
export function ageInWords(iso: string, now: number): string {
  const minutes = Math.floor((now - Date.parse(iso)) / MINUTE);
  if (Number.isNaN(minutes)) return "–";
  if (minutes < 1) return "now";
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)}`;
  return `${Math.floor(minutes / (24 * 60))} d`;
}

function wholeMonths(from: Date, to: Date): number {
  const months = (to.getUTCFullYear() - from.getUTCFullYear()) * 12 + to.getUTCMonth() - from.getUTCMonth();
  return to.getUTCDate() < from.getUTCDate() ? months - 1 : months;
}

function counted(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
