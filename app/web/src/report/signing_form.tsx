import { useEffect, useRef, useState, type SubmitEvent } from "react";
import type { Signing } from "../api/client";
import { Field } from "../field";

interface Props {
  signer: string;
  meanings: readonly string[];
  verb: string;
  busy: boolean;
  fault: string | null;
  onSign: (signing: Signing) => void;
  onCancel: () => void;
  /** Whether the password is the first thing to type here. */
  isFirst: boolean;
}

/** Who signs, what the signature means, and the password again (21 CFR 11.50, 11.200). */
export function SigningForm({ signer, meanings, verb, busy, fault, onSign, onCancel, isFirst }: Props) {
  const [meaning, setMeaning] = useState(meanings[0] ?? "");
  const [password, setPassword] = useState("");
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (isFirst) form.current?.querySelector<HTMLInputElement>("[type=password]")?.focus();
  }, [isFirst]);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    onSign({ password, meaning });
  };
  return (
    <form ref={form} className="signing" onSubmit={submit}>
      <fieldset>
        <legend>{`${signer} states:`}</legend>
        {meanings.map((words) => (
          <label key={words} className="check">
            <input type="radio" name="meaning" value={words} checked={meaning === words} onChange={() => { setMeaning(words); }} />
            {words}
          </label>
        ))}
      </fieldset>
      <Field label="Your password, to sign" type="password" name="password" autoComplete="current-password" required value={password} onChange={(event) => { setPassword(event.target.value); }} />
      {fault !== null && <p className="problem" role="alert">{fault}</p>}
      <p className="buttons">
        <button type="submit" className="primary" disabled={busy || password === ""}>{busy ? "Signing…" : verb}</button>
        <button type="button" onClick={onCancel}>Cancel</button>
      </p>
    </form>
  );
}
