import { useState } from "react";
import { Field } from "../field";
import { rolesFor, toggled } from "./person_form";
import type { Role, User } from "./types";
import { ROLES } from "./words";

interface RoleBoxesProps {
  kind: User["kind"];
  /** The roles that the user has until now. */
  held: readonly Role[];
  roles: readonly Role[];
  onChange: (roles: Role[]) => void;
}

export function RoleBoxes({ kind, held, roles, onChange }: RoleBoxesProps) {
  return (
    <fieldset>
      <legend>Roles</legend>
      {rolesFor(kind, held).map((role) => (
        <label key={role} className="check">
          <input type="checkbox" name="roles" checked={roles.includes(role)} onChange={() => { onChange(toggled(roles, role)); }} />
          <span>{ROLES[role].words}<span className="quiet">{`: ${ROLES[role].may}`}</span></span>
        </label>
      ))}
    </fieldset>
  );
}

/** A password that is handed over to somebody else, so it can be looked at while it is typed. */
export function Password({ label, value, onChange }: { label: string; value: string; onChange: (value: string) => void }) {
  const [isShown, setShown] = useState(false);
  return (
    <>
      <Field label={label} name="password" type={isShown ? "text" : "password"} autoComplete="new-password" spellCheck={false} maxLength={256} value={value} onChange={(event) => { onChange(event.target.value); }} />
      <label className="check">
        <input type="checkbox" checked={isShown} onChange={() => { setShown(!isShown); }} />
        Show it
      </label>
    </>
  );
}
