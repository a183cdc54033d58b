import { useState, type SubmitEvent } from "react";
import type { Client } from "../api/client";
import { Problem } from "../api/http";
import type { Identity } from "../api/types";
import { Field } from "../field";

interface Props {
  client: Client;
  notice: string | null;
  onIn: (reader: Identity) => void;
}

export function Login({ client, notice, onIn }: Props) {
  const [fault, setFault] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setFault(null);
    client
      .login(textOf(form, "username"), textOf(form, "password"))
      .then(onIn)
      .catch((error: unknown) => { setFault(reasonOf(error)); })
      .finally(() => { setBusy(false); });
  };

  return (
    <main className="login">
      <form onSubmit={submit} aria-labelledby="login-title">
        <h1 id="login-title">UniRG review</h1>
        <p className="quiet">Chest radiograph drafts, read and signed by a radiologist.</p>
        {notice !== null && <p className="note" role="status">{notice}</p>}
        <Field label="User name" name="username" autoComplete="username" required />
        <Field label="Password" name="password" type="password" autoComplete="current-password" required />
        {fault !== null && <p className="problem" role="alert">{fault}</p>}
        <button type="submit" className="primary" disabled={busy}>{busy ? "Logging in…" : "Log in"}</button>
        <p className="quiet">Research system, not for diagnosis. Not for diagnostic display unless the screen is calibrated.</p>
      </form>
    </main>
  );
}

function textOf(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value : "";
}

function reasonOf(error: unknown): string {
  if (error instanceof Problem && error.status === 401) return "User name or password is wrong.";
  return error instanceof Error ? error.message : String(error);
}
