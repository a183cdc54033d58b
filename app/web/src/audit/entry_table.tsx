import type { Ref } from "react";
import { Table } from "../administration/table";
import type { Entry, Order } from "./calls";
import { factsOf, secondInWords } from "./details";

interface Props {
  entries: readonly Entry[];
  order: Order;
  hasHashes: boolean;
  box: Ref<HTMLDivElement>;
}

const HEADS = ["No.", "Time", "Actor", "Action", "Outcome", "Study", "Details"];

/** Entries as the chain has them; every word of theirs is text. */
export function EntryTable({ entries, order, hasHashes, box }: Props) {
  return (
    <Table caption={`Audit entries, ${order === "newest" ? "newest" : "oldest"} first; times of this workstation`} heads={HEADS} numbers={["No."]} box={box}>
      {entries.map((entry) => (
        <tr key={entry.seq}>
          <th scope="row" className="number">{entry.seq}</th>
          <td className="time">{secondInWords(entry.at)}</td>
          <td className="code">{entry.actor}</td>
          <td className="code">{entry.action}</td>
          <td className={entry.outcome === "failure" ? "bad" : "good"}>{entry.outcome === "failure" ? "Failed" : "Done"}</td>
          <td className="code uid">{entry.study_instance_uid ?? "–"}</td>
          <td className="facts-of">
            <Facts detail={entry.detail} />
            {hasHashes && <p className="code digest">{entry.hash}</p>}
          </td>
        </tr>
      ))}
    </Table>
  );
}

function Facts({ detail }: { detail: Entry["detail"] }) {
  const facts = factsOf(detail);
  if (facts.length === 0) return "–";
  return (
    <dl>
      {facts.map(({ name, words, summary }) => (
        <div key={name}>
          <dt>{`${name}: `}</dt>
          <dd>{summary === null ? words : <details><summary>{summary}</summary><p>{words}</p></details>}</dd>
        </div>
      ))}
    </dl>
  );
}
