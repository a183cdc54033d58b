import { timeInWords } from "../words/dates";
import { DeadLetters } from "./dead_letters";
import { deadJobs, linesOf, STATES } from "./queue_table";
import { useQueues } from "./queues_query";
import { Section } from "./section";
import { Table } from "./table";
import type { Queues as Queued } from "./types";
import { ageInWords, jobStateInWords, taskInWords } from "./words";

/** So long may a message wait for the broker before something is wrong, in seconds: as the alert has it. */
const STUCK = 60;

/** What the service has to do, what it gave up, and what a person does about that. */
export function Queues() {
  const queues = useQueues();
  const { data, error, dataUpdatedAt } = queues;
  return (
    <>
      <Section title="Queues" about="Jobs by task and state, read again every 10 seconds while this page is in sight." fault={error}>
        {data !== undefined && (
          <>
            <Outbox queues={data} at={secondInWords(new Date(dataUpdatedAt))} />
            <Jobs queues={data} />
          </>
        )}
      </Section>
      {data !== undefined && <DeadLetters dead={deadJobs(data.items)} />}
    </>
  );
}

function Outbox({ queues: { waiting_messages: waiting, oldest_message_seconds: oldest }, at }: { queues: Queued; at: string }) {
  if (waiting === 0 || oldest === null) return <p>{`As of ${at}, the outbox is empty: every job has been handed to the broker.`}</p>;
  return (
    <>
      <p>{`As of ${at}, ${waiting} ${waiting === 1 ? "message waits" : "messages wait"} in the outbox for the broker, the oldest for ${ageInWords(oldest)}.`}</p>
      {oldest > STUCK && <p className="problem">Jobs do not reach the broker. Is the relay running, and can Redis be reached? <code>unirg doctor</code> says; nothing is lost meanwhile.</p>}
    </>
  );
}

function Jobs({ queues }: { queues: Queued }) {
  const lines = linesOf(queues.items);
  const heads = STATES.map(headOf);
  if (lines.length === 0) return <p>There has been no job yet.</p>;
  return (
    <Table caption="Jobs by task and state" heads={["Task", ...heads, "Oldest unfinished"]} numbers={[...heads, "Oldest unfinished"]}>
      {lines.map(({ task, jobs, oldest }) => (
        <tr key={task}>
          <th scope="row">{taskInWords(task)}<br /><small className="code">{task}</small></th>
          {STATES.map((state) => {
            const count = jobs.get(state) ?? 0;
            return <td key={state} className={`number${state === "dead" && count > 0 ? " bad" : ""}`}>{count}</td>;
          })}
          <td className="number">{oldest === null ? "–" : ageInWords(oldest)}</td>
        </tr>
      ))}
    </Table>
  );
}

/** "14:05:09" in the reader's own time zone. */
function secondInWords(date: Date): string {
  return `${timeInWords(date)}:${String(date.getSeconds()).padStart(2, "0")}`;
}

function headOf(state: string): string {
  const words = jobStateInWords(state);
  return words.charAt(0).toUpperCase() + words.slice(1);
}
