import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";
import { useServices } from "../app_context";
import { Dialog } from "../dialog";
import { Field } from "../field";
import { kept, read, type List } from "./saved";

const LISTS = ["worklist-lists"] as const;

/** The reader's own lists: filter and order under a name. */
export function SavedLists({ filter, sort, onApply }: List & { onApply: (list: List) => void }) {
  const { client } = useServices();
  const [keeping, setKeeping] = useState(false);
  const lists = useQuery({ queryKey: LISTS, queryFn: ({ signal }) => client.worklistLists(signal), staleTime: Infinity });
  if (lists.data === undefined) return null;
  const items = lists.data;
  return (
    <div className="lists">
      <select aria-label="Saved lists" value="" onChange={(event) => { const list = items.find(({ name }) => name === event.target.value); if (list) onApply(read(list.filter)); }}>
        <option value="">{items.length === 0 ? "No saved list" : "Saved lists"}</option>
        {items.map(({ name }) => <option key={name} value={name}>{name}</option>)}
      </select>
      <button type="button" onClick={() => { setKeeping(true); }}>Keep this list…</button>
      {keeping && <Keeping filter={filter} sort={sort} names={items.map(({ name }) => name)} onClose={() => { setKeeping(false); }} />}
    </div>
  );
}

function Keeping({ filter, sort, names, onClose }: List & { names: readonly string[]; onClose: () => void }) {
  const { client } = useServices();
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const renew = () => queries.invalidateQueries({ queryKey: LISTS });
  const keep = useMutation({ mutationFn: () => client.keepWorklistList(name.trim(), kept({ filter, sort })), onSuccess: async () => { await renew(); onClose(); } });
  const remove = useMutation({ mutationFn: (old: string) => client.removeWorklistList(old), onSuccess: renew });
  const error = keep.error ?? remove.error;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    keep.mutate();
  };
  return (
    <Dialog title="Saved lists" onClose={onClose}>
      <form onSubmit={submit}>
        <Field label="Keep the present filters and order under this name" required maxLength={64} value={name} autoComplete="off" onChange={(event) => { setName(event.target.value); }} />
        {names.includes(name.trim()) && <p className="note">There is a list of this name; it will be replaced.</p>}
        {error !== null && <p className="problem" role="alert">{error.message}</p>}
        <p className="buttons">
          <button type="submit" disabled={keep.isPending || name.trim() === ""}>Keep</button>
          <button type="button" onClick={onClose}>Cancel</button>
        </p>
      </form>
      {names.length > 0 && (
        <ul className="kept" aria-label="Kept">
          {names.map((old) => <li key={old}>{old}<button type="button" aria-label={`Remove “${old}”`} onClick={() => { remove.mutate(old); }}>Remove</button></li>)}
        </ul>
      )}
    </Dialog>
  );
}
