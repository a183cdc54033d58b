import type { NewPerson, Role, User } from "./types";
import { ROLES } from "./words";

export const NOBODY: NewPerson = { username: "", name: "", roles: [], password: "" };

const EVERY_ROLE = Object.keys(ROLES) as Role[];
const MACHINES_ONLY: readonly Role[] = ["ris", "pacs"];

/** The roles to choose from: a person is offered no machine's role, but keeps sight of one that he has. */
export function rolesFor(kind: User["kind"], held: readonly Role[]): Role[] {
  return EVERY_ROLE.filter((role) => kind === "machine" || !MACHINES_ONLY.includes(role) || held.includes(role));
}

export function toggled(roles: readonly Role[], role: Role): Role[] {
  return EVERY_ROLE.filter((one) => (one === role ? !roles.includes(one) : roles.includes(one)));
}

/** Why this cannot be a person here, and which field it is about; null where it can, as far as the page sees. */
export function objection({ username, name, roles, password }: NewPerson): { field: keyof NewPerson; words: string } | null {
  if (!/^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/.test(username.trim())) {
    return { field: "username", words: "The login name needs 1 to 64 letters, digits, dots, hyphens, or one of _ @ +, without a space; the first is a letter or a digit." };
  }
  if (name.trim() === "") return { field: "name", words: "The name is missing: it stands under what the person signs." };
  if (roles.length === 0) return { field: "roles", words: "Choose at least one role." };
  return password === "" ? { field: "password", words: "The first password is missing." } : null;
}

export function sent({ username, name, roles, password }: NewPerson): NewPerson {
  return { username: username.trim(), name: name.trim(), roles, password };
}
