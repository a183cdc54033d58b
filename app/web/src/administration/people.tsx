import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useServices } from "../app_context";
import { momentInWords } from "../words/dates";
import { enable, readUsers } from "./calls";
import { AddPerson } from "./add_person";
import { ChangeRoles, DisableUser, SetPassword } from "./person_dialogs";
import { Section, type Done } from "./section";
import { Table } from "./table";
import type { User } from "./types";
import { USERS, useUserAct } from "./user_act";
import { ROLES } from "./words";

type Open = { kind: "add" } | { kind: "roles" | "password" | "disable"; user: User };

const HEADS = ["Login name", "Name", "Kind", "Roles", "State", "Added", "Last seen", "Actions"];

/** Who can log in, and what each may do. */
export function People() {
  const { client } = useServices();
  const users = useQuery({ queryKey: USERS, queryFn: ({ signal }) => readUsers(client.http, signal) });
  const [open, setOpen] = useState<Open | null>(null);
  const [done, setDone] = useState<Done | null>(null);
  const letIn = useUserAct(enable, (user) => { setDone({ words: `${user.username} can log in again.` }); });
  const close = () => { setOpen(null); };
  const finish = (said: string) => {
    close();
    setDone({ words: said });
  };
  return (
    <Section title="People" about="Everybody who can log in, and every machine with a token. Each change is in force at once and is kept in the audit chain." done={done} fault={letIn.error ?? users.error}>
      <p className="buttons"><button type="button" className="primary" onClick={() => { setOpen({ kind: "add" }); }}>Add a person…</button></p>
      {users.data !== undefined && (
        <Table caption={`People and machines: ${users.data.length}`} heads={HEADS}>
          {users.data.map((user) => <Row key={user.id} user={user} onOpen={setOpen} onEnable={() => { letIn.mutate(user.id); }} />)}
        </Table>
      )}
      <p className="quiet">Machines get their tokens from <code>unirg token create</code>.</p>
      {open?.kind === "add" && <AddPerson onClose={close} onDone={finish} />}
      {open?.kind === "roles" && <ChangeRoles user={open.user} onClose={close} onDone={finish} />}
      {open?.kind === "password" && <SetPassword user={open.user} onClose={close} onDone={finish} />}
      {open?.kind === "disable" && <DisableUser user={open.user} onClose={close} onDone={finish} />}
    </Section>
  );
}

interface RowProps {
  user: User;
  onOpen: (open: Open) => void;
  onEnable: () => void;
}

function Row({ user, onOpen, onEnable }: RowProps) {
  const whose = <span className="unseen">{` of ${user.username}`}</span>;
  return (
    <tr>
      <th scope="row">{user.username}</th>
      <td>{user.name}</td>
      <td>{user.kind}</td>
      <td>{user.roles.map((role) => ROLES[role].words).join(", ")}</td>
      <td className={user.disabled ? "bad" : "good"}>{user.disabled ? "Disabled" : "Active"}</td>
      <td className="time">{momentInWords(user.created_at)}</td>
      <td className="time">{user.seen_at === null ? "never" : momentInWords(user.seen_at)}</td>
      <td>
        <span className="acts">
          <button type="button" onClick={() => { onOpen({ kind: "roles", user }); }}>Roles…{whose}</button>
          {user.kind === "person" && <button type="button" onClick={() => { onOpen({ kind: "password", user }); }}>Password…{whose}</button>}
          <button type="button" onClick={user.disabled ? onEnable : () => { onOpen({ kind: "disable", user }); }}>{user.disabled ? "Enable" : "Disable…"}<span className="unseen">{` ${user.username}`}</span></button>
        </span>
      </td>
    </tr>
  );
}
