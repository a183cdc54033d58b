import { useMutation } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";
import { useServices } from "../app_context";
import { Dialog } from "../dialog";
import { Field } from "../field";

interface Words {
  password: string;
  wanted: string;
  repeated: string;
}

/** A new password of the reader's own. */
export function PasswordDialog({ onClose }: { onClose: () => void }) {
  const { client } = useServices();
  const [words, setWords] = useState<Words>({ password: "", wanted: "", repeated: "" });
  const change = useMutation({ mutationFn: ({ password, wanted }: Words) => client.changePassword(password, wanted) });
  const isTwo = words.repeated !== "" && words.repeated !== words.wanted;
  const isReady = words.password !== "" && words.wanted !== "" && words.repeated === words.wanted;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (isReady) change.mutate(words);
  };
  const field = (name: keyof Words, label: string, autoComplete: string) => (
    <Field label={label} name={name} type="password" autoComplete={autoComplete} maxLength={256} value={words[name]} onChange={(event) => { setWords({ ...words, [name]: event.target.value }); }} />
  );
  return (
    <Dialog title="My password" onClose={onClose}>
      {change.isSuccess && (
        <>
          <p className="note" role="status">The new password holds from now on, for signatures too. Your other sessions have ended.</p>
          <p className="buttons"><button type="button" onClick={onClose}>Close</button></p>
        </>
      )}
      {!change.isSuccess && (
        <form noValidate onSubmit={submit}>
          <p>Your other sessions end; this one goes on.</p>
          {field("password", "Present password", "current-password")}
          {field("wanted", "New password, at least 8 characters", "new-password")}
          {field("repeated", "New password once more", "new-password")}
          {isTwo && <p className="note">The two new passwords are not the same yet.</p>}
          {change.isError && <p className="problem" role="alert">{change.error.message}</p>}
          <p className="buttons">
            <button type="submit" className="primary" disabled={!isReady || change.isPending}>Change the password</button>
            <button type="button" onClick={onClose}>Cancel</button>
          </p>
        </form>
      )}
    </Dialog>
  );
}
