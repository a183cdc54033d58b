import type { ReactNode } from "react";
import type { WorklistItem } from "../api/types";
import { criticalTime } from "../words/critical_time";
import { dayInWords, momentInWords, readDay, timeInWords } from "../words/dates";
import { nameInWords } from "../words/person";
import { DRAFTS, priorityInWords, STATES } from "../words/said";
import { clockOf } from "./clock";
import type { SortKey } from "./order";

export interface Column {
  id: string;
  title: string;
  sort?: SortKey;
  cell: (item: WorklistItem, now: number) => ReactNode;
}

/** Left to right. The patient's name stands between `due` and `id`: the row makes it, as it opens the study. */
export const COLUMNS: readonly Column[] = [
  { id: "priority", title: "Priority", cell: (item) => <span className={`urgency urgency-${item.urgency}`}>{priorityInWords(item.priority)}</span> },
  { id: "due", title: "Due", sort: "due", cell: (item, now) => <Due item={item} now={now} /> },
  { id: "patient", title: "Patient", sort: "patient", cell: ({ patient }) => nameInWords(patient.name) },
  { id: "number", title: "ID", cell: ({ patient }) => patient.id ?? "no ID" },
  { id: "who", title: "Age", cell: (item) => <Who item={item} /> },
  { id: "exam", title: "Exam", cell: (item) => <Exam item={item} /> },
  { id: "accession", title: "Accession", cell: (item) => item.accession_number ?? "" },
  { id: "day", title: "Exam date", cell: (item) => dayInWords(item.study_date) },
  { id: "received", title: "Received", sort: "received", cell: (item, now) => <Received at={item.received_at} now={now} /> },
  { id: "state", title: "State", sort: "state", cell: (item) => <State item={item} /> },
  { id: "draft", title: "Draft", cell: ({ draft_status }) => <span className={`draft draft-${draft_status}`}>{DRAFTS[draft_status]}</span> },
  { id: "flags", title: "Flags", cell: ({ flags }) => flags !== null && flags > 0 && <span className="flag-count"><span aria-hidden="true">⚠ </span>{flags}</span> },
  { id: "critical", title: "Critical", cell: (item, now) => <Critical item={item} now={now} /> },
  { id: "lock", title: "Open at", cell: ({ lock }) => lock !== null && <span title={lock.owner}>{lock.mine ? `${lock.owner} (you)` : lock.owner}</span> },
];

function Due({ item, now }: { item: WorklistItem; now: number }) {
  const { pace, words } = clockOf(item, now);
  return <span className={`pace pace-${pace}`} title={`Due ${momentInWords(item.due_at)}`}>{words}</span>;
}

/** One that nobody was told of says how long there is; else that somebody was told. */
function Critical({ item: { critical_state, critical_due_at }, now }: { item: WorklistItem; now: number }) {
  if (critical_due_at === null) return critical_state === "told" && <span className="critical critical-told">Told</span>;
  const { overdue, span } = criticalTime(critical_due_at, now);
  const words = overdue ? `Critical result overdue by ${span}, told to nobody yet` : `Critical result, told to nobody yet, ${span} left`;
  return (
    <span className={`critical critical-${overdue ? "overdue" : "open"}`} title={`${words}; due ${momentInWords(critical_due_at)}`}>
      {overdue ? "Overdue" : span}
      <span className="unseen">{` ${words}`}</span>
    </span>
  );
}

function Who({ item: { patient, study_date } }: { item: WorklistItem }) {
  const born = `born ${dayInWords(patient.birth_date)}`;
  return <span title={born}>{[patient.sex ?? "?", ageInYears(patient.birth_date, study_date)].join(" ")}<span className="unseen">{` ${born}`}</span></span>;
}

/** Years at the exam; for a child under two in months. */
export function ageInYears(born: string | null, at: string | null): string {
  const [from, to] = [readDay(born), readDay(at)];
  if (from === null || to === null || from > to) return "?";
  const months = (to.getUTCFullYear() - from.getUTCFullYear()) * 12 + to.getUTCMonth() - from.getUTCMonth() - (to.getUTCDate() < from.getUTCDate() ? 1 : 0);
  return months < 24 ? `${months} m` : `${Math.floor(months / 12)} y`;
}

function Exam({ item: { description, modalities, sent_by } }: { item: WorklistItem }) {
  const words = [modalities.join("/"), description ?? ""].filter((part) => part !== "").join(" ");
  const from = sent_by.length === 0 ? "" : ` from ${sent_by.join(", ")}`;
  return <span title={words + from}>{words}{from !== "" && <small>{from}</small>}</span>;
}

function Received({ at, now }: { at: string; now: number }) {
  const date = new Date(at);
  const today = new Date(now).toDateString() === date.toDateString();
  return <span title={momentInWords(at)}>{today ? timeInWords(date) : dayInWords(localDay(date)).replace(/ \d{4}$/, "")}</span>;
}

function localDay(date: Date): string {
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
}

function State({ item }: { item: WorklistItem }) {
  const words = STATES[item.state] + (item.report_status === "appended" ? ", addendum" : "");
  const reason = item.reason ?? "";
  return (
    <span className={`state state-${item.state}`} title={reason === "" ? words : `${words}: ${reason}`}>
      {words}
      {reason !== "" && <small>{` ${reason}`}</small>}
    </span>
  );
}
