import { useState, type ReactNode, type SubmitEvent } from "react";
import { Dialog } from "../dialog";
import { changeRoles, disable, setPassword } from "./calls";
import { Password, RoleBoxes } from "./person_fields";
import type { User } from "./types";
import { useUserAct } from "./user_act";
import { ROLES } from "./words";

interface Props {
  user: User;
  onClose: () => void;
  onDone: (said: string) => void;
}

export function ChangeRoles({ user, onClose, onDone }: Props) {
  const [roles, setRoles] = useState(user.roles);
  const change = useUserAct(
    (http, wanted: User["roles"]) => changeRoles(http, user.id, wanted),
    (now) => { onDone(`${now.username} is now: ${now.roles.map((role) => ROLES[role].words).join(", ")}.`); },
  );
  return (
    <Asked title={`Roles of ${user.username}`} verb="Change the roles" isReady={roles.length > 0} busy={change.isPending} fault={change.error} onClose={onClose} onSubmit={() => { change.mutate(roles); }}>
      <p>In force at once, also where the user is logged in.</p>
      <RoleBoxes kind={user.kind} held={user.roles} roles={roles} onChange={setRoles} />
      {roles.length === 0 && <p className="note">A user needs at least one role. To shut somebody out, disable the user instead.</p>}
    </Asked>
  );
}

export function SetPassword({ user, onClose, onDone }: Props) {
  const [password, setTyped] = useState("");
  const set = useUserAct(
    (http, wanted: string) => setPassword(http, user.id, wanted),
    (now) => { onDone(`${now.username} has a new password; every session with the old one has ended.`); },
  );
  return (
    <Asked title={`New password for ${user.username}`} verb="Set the password" isReady={password !== ""} busy={set.isPending} fault={set.error} onClose={onClose} onSubmit={() => { set.mutate(password); }}>
      <p>{`It ends every session of ${user.name} at once; text that was not saved yet waits in the open page until that person logs in there again.`}</p>
      <Password label="New password, at least 8 characters" value={password} onChange={setTyped} />
    </Asked>
  );
}

export function DisableUser({ user, onClose, onDone }: Props) {
  const shut = useUserAct((http, id: string) => disable(http, id), (now) => { onDone(`${now.username} is shut out.`); });
  return (
    <Asked title={`Disable ${user.username}`} verb="Disable" isReady busy={shut.isPending} fault={shut.error} onClose={onClose} onSubmit={() => { shut.mutate(user.id); }}>
      <p>
        {user.kind === "person"
          ? `${user.name} is logged out at once and cannot log in. What was signed and saved stays, and the same password holds when the user is enabled again.`
          : "Its tokens are refused from now on; they hold again when it is enabled."}
      </p>
    </Asked>
  );
}

interface AskedProps {
  title: string;
  verb: string;
  isReady: boolean;
  busy: boolean;
  fault: Error | null;
  onClose: () => void;
  onSubmit: () => void;
  children: ReactNode;
}

/** One question about one user. */
function Asked({ title, verb, isReady, busy, fault, onClose, onSubmit, children }: AskedProps) {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form noValidate onSubmit={submit}>
        {children}
        {fault !== null && <p className="problem" role="alert">{fault.message}</p>}
        <p className="buttons">
          <button type="submit" className="primary" disabled={busy || !isReady}>{verb}</button>
          <button type="button" onClick={onClose}>Cancel</button>
        </p>
      </form>
    </Dialog>
  );
}
