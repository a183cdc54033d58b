import type { Http } from "../api/http";
import type { DeadLetter, DeadLetters, Echo, ModelVersion, NewPerson, Peer, Queues, Role, User } from "./types";

/** What can be done with a dead letter; both want a reason. */
export type Act = "retry" | "drop";

interface Listed<T> {
  items: T[];
}

export async function readUsers(http: Http, signal: AbortSignal): Promise<User[]> {
  return (await http.json<Listed<User>>("/admin/users", { signal })).items;
}

export function addPerson(http: Http, person: NewPerson): Promise<User> {
  return http.json("/admin/users", { method: "POST", body: person });
}

export function changeRoles(http: Http, id: string, roles: readonly Role[]): Promise<User> {
  return http.json(`${user(id)}/roles`, { method: "PUT", body: { roles } });
}

export function disable(http: Http, id: string): Promise<User> {
  return http.json(`${user(id)}/disable`, { method: "POST" });
}

export function enable(http: Http, id: string): Promise<User> {
  return http.json(`${user(id)}/enable`, { method: "POST" });
}

export function setPassword(http: Http, id: string, password: string): Promise<User> {
  return http.json(`${user(id)}/password`, { method: "POST", body: { password } });
}

export async function readPeers(http: Http, signal: AbortSignal): Promise<Peer[]> {
  return (await http.json<Listed<Peer>>("/admin/peers", { signal })).items;
}

export function echo(http: Http, peer: string): Promise<Echo> {
  return http.json(`/admin/peers/${encodeURIComponent(peer)}/echo`, { method: "POST" });
}

export function readQueues(http: Http, signal: AbortSignal): Promise<Queues> {
  return http.json("/admin/queues", { signal });
}

/** after: `next` of the page before; null for the first page. Each call is an entry in the audit chain. */
export function readDeadLetters(http: Http, after: string | null, signal: AbortSignal): Promise<DeadLetters> {
  return http.json(`/admin/dead-letters${after === null ? "" : `?after=${encodeURIComponent(after)}`}`, { signal });
}

export function settle(http: Http, act: Act, id: string, reason: string): Promise<DeadLetter> {
  return http.json(`/admin/dead-letters/${encodeURIComponent(id)}/${act}`, { method: "POST", body: { reason } });
}

export async function readModels(http: Http, signal: AbortSignal): Promise<ModelVersion[]> {
  return (await http.json<Listed<ModelVersion>>("/admin/models", { signal })).items;
}

const user = (id: string) => `/admin/users/${encodeURIComponent(id)}`;
