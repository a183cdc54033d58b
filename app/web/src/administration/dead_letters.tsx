import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useServices } from "../app_context";
import { momentInWords } from "../words/dates";
import { STATES } from "../words/said";
import { readDeadLetters, type Act } from "./calls";
import { Pager, usePages } from "./pages";
import { DEAD_LETTERS } from "./queues_query";
import { Section, type Done } from "./section";
import { SettleDialog } from "./settle_dialog";
import { Table } from "./table";
import type { DeadLetter } from "./types";
import { taskInWords } from "./words";

const HEADS = ["Job", "Why it gave up", "Study", "Study’s state", "Queued", "Actions"];

/** The jobs that gave up. Each reading of the list is audited, so it is read again only where their number changes. */
export function DeadLetters({ dead }: { dead: number }) {
  const { client } = useServices();
  const pages = usePages<string>();
  const box = useRef<HTMLDivElement>(null);
  const letters = useQuery({
    queryKey: [...DEAD_LETTERS, pages.after, dead],
    queryFn: ({ signal }) => readDeadLetters(client.http, pages.after, signal),
    placeholderData: keepPreviousData,
    enabled: dead > 0,
  });
  const [open, setOpen] = useState<{ act: Act; letter: DeadLetter } | null>(null);
  const [done, setDone] = useState<Done | null>(null);
  const items = dead === 0 ? [] : letters.data?.items ?? [];
  const finish = (said: string) => {
    setOpen(null);
    setDone({ words: said });
  };
  return (
    <>
      <Section title="Dead letters" about="Jobs that failed as often as they may and wait for a person. Mend the cause first, then try again; what nothing waits for any more is dropped." done={done} focusOnDone fault={letters.error}>
        {dead === 0 && <p>None: no job has given up.</p>}
        {dead > 0 && letters.data !== undefined && items.length === 0 && <p>None on this page.</p>}
        {items.length > 0 && (
          <Table caption={`Dead letters, oldest first: ${dead} in all`} heads={HEADS} box={box}>
            {items.map((letter) => <Row key={letter.id} letter={letter} onAct={(act) => { setOpen({ act, letter }); }} />)}
          </Table>
        )}
        <Pager name="Pages of dead letters" pages={pages} next={dead === 0 ? null : letters.data?.next ?? null} busy={letters.isPlaceholderData} onTurn={() => box.current?.focus()} />
      </Section>
      {open !== null && <SettleDialog {...open} onClose={() => { setOpen(null); }} onDone={finish} />}
    </>
  );
}

function Row({ letter, onAct }: { letter: DeadLetter; onAct: (act: Act) => void }) {
  const which = <span className="unseen">{` ${taskInWords(letter.task)}, study ${letter.study_instance_uid}`}</span>;
  const isSaid = letter.study_reason === null || letter.study_reason.includes(letter.last_error);
  return (
    <tr>
      <th scope="row">{taskInWords(letter.task)}<br /><small>{`${letter.attempts} ${letter.attempts === 1 ? "attempt" : "attempts"}`}</small></th>
      <td className="reason">{letter.last_error}</td>
      <td className="code uid">{letter.study_instance_uid}</td>
      <td>{STATES[letter.study_state]}{!isSaid && <><br /><small>{letter.study_reason}</small></>}</td>
      <td className="time">{momentInWords(letter.created_at)}</td>
      <td>
        <span className="acts">
          <button type="button" onClick={() => { onAct("retry"); }}>Try again…{which}</button>
          <button type="button" onClick={() => { onAct("drop"); }}>Drop…{which}</button>
        </span>
      </td>
    </tr>
  );
}
