import { useRef, useState, type SubmitEvent } from "react";
import { Dialog } from "../dialog";
import { Field } from "../field";
import { addPerson } from "./calls";
import { NOBODY, objection, sent } from "./person_form";
import { Password, RoleBoxes } from "./person_fields";
import type { NewPerson } from "./types";
import { useUserAct } from "./user_act";

interface Props {
  onClose: () => void;
  onDone: (said: string) => void;
}

export function AddPerson({ onClose, onDone }: Props) {
  const [person, setPerson] = useState(NOBODY);
  const [objected, setObjected] = useState<string | null>(null);
  const form = useRef<HTMLFormElement>(null);
  const add = useUserAct(addPerson, (user) => { onDone(`${user.name} can log in as ${user.username}.`); });
  const set = (change: Partial<NewPerson>) => { setPerson({ ...person, ...change }); };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const found = objection(person);
    setObjected(found?.words ?? null);
    if (found === null) add.mutate(sent(person));
    else form.current?.querySelector<HTMLElement>(`[name="${found.field}"]`)?.focus();
  };
  const fault = objected ?? add.error?.message ?? null;
  return (
    <Dialog title="Add a person" onClose={onClose}>
      <form ref={form} noValidate onSubmit={submit}>
        <div className="two">
          <Field label="Login name" name="username" autoComplete="off" spellCheck={false} maxLength={64} value={person.username} onChange={(event) => { set({ username: event.target.value }); }} />
          <Field label="Name, as it stands under a signature" name="name" autoComplete="off" maxLength={64} value={person.name} onChange={(event) => { set({ name: event.target.value }); }} />
        </div>
        <RoleBoxes kind="person" held={[]} roles={person.roles} onChange={(roles) => { set({ roles }); }} />
        <Password label="First password, at least 8 characters" value={person.password} onChange={(password) => { set({ password }); }} />
        <p className="quiet">Hand it over yourself: the service shows it to nobody again. It holds until an administrator sets another.</p>
        {fault !== null && <p className="problem" role="alert">{fault}</p>}
        <p className="buttons">
          <button type="submit" className="primary" disabled={add.isPending}>Add</button>
          <button type="button" onClick={onClose}>Cancel</button>
        </p>
      </form>
    </Dialog>
  );
}
