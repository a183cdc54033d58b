import { useEffect, useRef } from "react";
import type { WorklistItem } from "../api/types";
import { ageInWords, dayInWords, momentInWords } from "../words/dates";
import { nameInWords } from "../words/person";
import { isUrgent, priorityInWords, STATES, statusInWords } from "../words/said";

interface Props {
  item: WorklistItem;
  /** The reader has just come back from this study. */
  wasOpen: boolean;
  now: number;
  onOpen: (uid: string) => void;
}

export function Row({ item, wasOpen, now, onOpen }: Props) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (wasOpen) button.current?.focus();
  }, [wasOpen]);
  const { patient } = item;
  return (
    <tr className={isUrgent(item.priority) ? "urgent" : undefined}>
      <td><span className="priority">{priorityInWords(item.priority)}</span></td>
      <td title={`Received ${momentInWords(item.received_at)}`}>{ageInWords(item.received_at, now)}</td>
      <th scope="row">
        <button ref={button} type="button" className="open" onClick={() => { onOpen(item.study_instance_uid); }}>
          {nameInWords(patient.name)}
          <small>{patient.id ?? "no ID"}</small>
        </button>
      </th>
      <td>{dayInWords(patient.birth_date)}</td>
      <td>{patient.sex ?? ""}</td>
      <td>{item.accession_number ?? ""}</td>
      <td>{dayInWords(item.study_date)}</td>
      <td>{item.description ?? ""}</td>
      <td><State item={item} /></td>
      <td>{item.flags > 0 && <span className="flag-count">{`⚠ ${item.flags}`}</span>}</td>
      <td>{item.report_status === null ? "" : statusInWords(item.report_status)}</td>
      <td>{item.lock === null ? "" : item.lock.owner}</td>
    </tr>
  );
}

function State({ item }: { item: WorklistItem }) {
  return (
    <span className={`state state-${item.state}`} title={item.reason ?? undefined}>
      {STATES[item.state]}
      {item.reason !== null && item.reason !== "" && <small>{item.reason}</small>}
    </span>
  );
}
