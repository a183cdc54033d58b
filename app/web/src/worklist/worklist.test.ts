import fc from "fast-check";
import { expect, it } from "vitest";
import type { StudyState, Urgency, WorklistItem } from "../api/types";
import { clockOf, spanInWords } from "./clock";
import { ageInYears } from "./columns";
import { matches, tally, wantsFinished, WHOLE_LIST } from "./filter";
import { byCodePoint, ORDERS, URGENCIES, type SortKey } from "./order";
import { kept, read } from "./saved";

const NOON = Date.parse("2026-11-20T12:00:00Z");
const STATES: StudyState[] = ["receiving", "gathering_priors", "drafting", "ready", "draft_unavailable", "not_eligible", "in_review", "signed", "delivered", "failed"];

function study(values: Partial<WorklistItem> = {}): WorklistItem {
  return {
    study_instance_uid: "1.2.3", accession_number: "ACC-7", study_date: "20261120", description: null, modalities: [], sent_by: [], state: "ready", reason: null,
    patient: { name: "Müller^Jörg", id: "P-1", issuer: null, birth_date: null, sex: null },
    priority: "ROUTINE", urgency: "routine", received_at: "2026-11-20T11:00:00Z", due_at: "2026-11-20T12:00:00Z", draft_status: "ready", flags: 0, critical: false, critical_state: null, critical_due_at: null,
    lock: null, report_status: null, report_mine: false, signed_at: null, ...values,
  };
}

const moments = fc.constantFrom("2026-11-20T11:00:00Z", "2026-11-20T11:00:00.000001Z", "2026-11-20T10:59:59.999999Z", "2026-11-20T11:00:01Z");
const studies = fc.uniqueArray(
  fc.record({
    uid: fc.constantFrom("1.2.10", "1.2.9", "1.2", "1.20", "1.3", "1.10", "2.1"),
    state: fc.constantFrom(...STATES),
    urgency: fc.constantFrom<Urgency>(...URGENCIES),
    received_at: moments,
    name: fc.constantFrom("Doe", "doe", "DOE^A", "Ä", "ä", "山", "𠮷", "豈", ""),
  }),
  { selector: ({ uid }) => uid },
).map((rows) => rows.map(({ uid, name, ...rest }) => study({ study_instance_uid: uid, patient: { ...study().patient, name }, ...rest })));

it.each<SortKey>(["due", "received", "patient", "state"])("the order by %s is total, and does not depend on where it started", (key) => {
  fc.assert(fc.property(studies, fc.array(fc.nat()), (rows, swaps) => {
    const sorted = [...rows].sort(ORDERS[key]);
    const mixed = [...rows];
    for (const [at, to] of swaps.entries()) {
      const [a, b] = [at % (rows.length || 1), to % (rows.length || 1)];
      if (rows.length > 0) [mixed[a], mixed[b]] = [mixed[b]!, mixed[a]!];
    }
    expect(mixed.sort(ORDERS[key])).toEqual(sorted);
    for (const a of rows) for (const b of rows) expect(Math.sign(ORDERS[key](a, b))).toBe(-Math.sign(ORDERS[key](b, a)) + 0);
  }), { numRuns: 1000 });
});

it("texts compare as their UTF-8 bytes do", () => {
  const bytes = new TextEncoder();
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (a, b) => {
    const [x, y] = [bytes.encode(a), bytes.encode(b)];
    const at = x.findIndex((byte, index) => byte !== y[index]);
    const expected = at < 0 ? x.length - y.length : (x[at] ?? -1) - (y[at] ?? -1);
    expect(Math.sign(byCodePoint(a, b))).toBe(Math.sign(expected));
  }));
});

it("without a state the open studies are shown, and the finished ones only where they are asked for", () => {
  const shown = (states: StudyState[]) => STATES.filter((state) => matches({ ...WHOLE_LIST, states }, NOON)(study({ state })));
  expect(shown([])).toEqual(STATES.filter((state) => state !== "signed" && state !== "delivered"));
  expect(shown(["ready", "signed"])).toEqual(["ready", "signed"]);
  expect([[], ["ready"], ["delivered"]].map((states) => wantsFinished({ ...WHOLE_LIST, states: states as StudyState[] }))).toEqual([false, false, true]);
});

it.each([
  [{ q: "jörg MÜLLER" }, false],
  [{ q: " müller, j" }, true],
  [{ q: "Müller^J" }, true],
  [{ q: "acc-7" }, true],
  [{ q: "p-1" }, true],
  [{ q: "p-2" }, false],
  [{ urgencies: ["stat", "routine"] }, true],
  [{ urgencies: ["low"] }, false],
  [{ critical: true }, false],
  [{ untold: true }, false],
  [{ flagged: true }, true],
  [{ held: "locked" }, true],
  [{ held: "unlocked" }, false],
  [{ held: "mine" }, false],
  [{ within: 60 }, true],
  [{ within: 59 }, false],
] as const)("the filter %j: %s", (asked, expected) => {
  const item = study({ flags: 2, lock: { owner: "Dr Max", mine: false, expires_at: "2026-11-20T12:01:00Z" } });
  expect(matches({ ...WHOLE_LIST, ...asked }, NOON)(item)).toBe(expected);
});

it("a report that the reader began stays the reader's when the lease is over, until it is signed", () => {
  const mine = matches({ ...WHOLE_LIST, held: "mine", states: ["in_review", "signed"] }, NOON);
  expect(mine(study({ state: "in_review", report_mine: true, report_status: "preliminary" }))).toBe(true);
  expect(mine(study({ state: "signed", report_mine: true, report_status: "final" }))).toBe(false);
});

it("a signed study with a critical result that nobody was told of is not done with", () => {
  const waits = study({ state: "delivered", critical: true, critical_state: "open", critical_due_at: "2026-11-20T12:30:00Z" });
  expect(matches(WHOLE_LIST, NOON)(waits)).toBe(true);
  expect(matches({ ...WHOLE_LIST, untold: true }, NOON)(waits)).toBe(true);
  expect(matches({ ...WHOLE_LIST, states: ["ready"] }, NOON)(waits)).toBe(false);
  expect(matches({ ...WHOLE_LIST, untold: true }, NOON)(study({ critical: true, critical_state: "told" }))).toBe(false);
  expect(tally([waits, study({ critical: true, critical_state: "told" })], WHOLE_LIST)).toMatchObject({ critical: 2, untold: 1 });
});

it("counts are of the chosen states", () => {
  const rows = [study({ urgency: "stat", critical: true }), study({ flags: 1 }), study({ state: "signed", urgency: "stat" })];
  expect(tally(rows, WHOLE_LIST)).toEqual({ urgencies: { stat: 1, urgent: 0, routine: 1, low: 0 }, critical: 1, untold: 0, flagged: 1 });
});

it("a draft that is withheld counts as one without flags", () => {
  const withheld = study({ flags: null });
  expect(matches({ ...WHOLE_LIST, flagged: true }, NOON)(withheld)).toBe(false);
  expect(tally([withheld], WHOLE_LIST).flagged).toBe(0);
});

it.each([
  ["2026-11-20T10:50:00Z", null, "ample", "1 h 10 left"],
  ["2026-11-20T11:15:00Z", null, "soon", "45 min left"],
  ["2026-11-20T11:59:30Z", null, "soon", "0 min left"],
  ["2026-11-20T12:03:00Z", null, "overdue", "overdue 3 min"],
  ["2026-11-20T08:00:00Z", null, "ample", "4 h 00 left"],
  ["2026-11-20T12:03:00Z", "2026-11-20T11:59:00Z", "met", "in time"],
  ["2026-11-20T11:00:00Z", "2026-11-20T13:30:00Z", "missed", "1 h 30 late"],
])("at %s, signed %s: %s, %s", (at, signed_at, pace, words) => {
  const item = study({ received_at: "2026-11-20T08:00:00Z", due_at: "2026-11-20T12:00:00Z", signed_at });
  expect(clockOf(item, Date.parse(at))).toEqual({ pace, words });
});

it("spans over a day are in days and hours", () => {
  expect(spanInWords(52 * 3_600_000)).toBe("2 d 4 h");
});

it.each([
  ["19600101", "20261120", "66 y"],
  ["19601121", "20261120", "65 y"],
  ["20250321", "20261120", "19 m"],
  [null, "20261120", "?"],
  ["20261121", "20261120", "?"],
])("born %s, examined %s: %s", (born, at, words) => {
  expect(ageInYears(born, at)).toBe(words);
});

it("a list that was kept is read as it was, and what is not known is left out", () => {
  const filter = { states: ["ready", "signed"], urgencies: ["stat"], held: "mine", critical: true, untold: true, flagged: true, within: 60, q: "Doe" } as const;
  for (const list of [{ filter, sort: { key: "patient", desc: true } }, { filter: WHOLE_LIST, sort: { key: "due", desc: false } }] as const) expect(read(kept(list))).toEqual(list);
  expect(kept({ filter: WHOLE_LIST, sort: { key: "due", desc: false } })).toEqual({ sort: "due", order: "asc" });
  expect(read({ state: "lost", urgency: ["stat", "x"], held: "x", sort: "age", shoe_size: 7, critical: "yes" })).toEqual({
    filter: { ...WHOLE_LIST, urgencies: ["stat"] }, sort: { key: "due", desc: false },
  });
});
