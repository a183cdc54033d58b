import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";
import type { WorklistList } from "../api/types";
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
      <select aria-label="Saved lists" value="" onChange={(event) => { const list = items.find(({ id }) => id === event.target.value); if (list) onApply(read(list.filter)); }}>
        <option value="">{items.length === 0 ? "No saved list" : "Saved lists"}</option>
        {items.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
      </select>
      <button type="button" onClick={() => { setKeeping(true); }}>Keep this list…</button>
      {keeping && <Keeping filter={filter} sort={sort} items={items} onClose={() => { setKeeping(false); }} />}
    </div>
  );
}

function Keeping({ filter, sort, items, onClose }: List & { items: readonly WorklistList[]; onClose: () => void }) {
  const { client } = useServices();
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const same = items.find((list) => list.name === name.trim());
  const renew = () => queries.invalidateQueries({ queryKey: LISTS });
  const keep = useMutation({
    mutationFn: () => {
      const given = { name: name.trim(), filter: kept({ filter, sort }) };
      return same === undefined ? client.keepWorklistList(given) : client.replaceWorklistList(same.id, given);
    },
    onSuccess: async () => { await renew(); onClose(); },
    onError: renew, // another window may have taken the name, or removed the list
  });
  const remove = useMutation({ mutationFn: (id: string) => client.removeWorklistList(id), onSettled: renew });
  const error = keep.error ?? remove.error;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    keep.mutate();
  };
  return (
    <Dialog title="Saved lists" onClose={onClose}>
      <form onSubmit={submit}>
        <Field label="Keep the present filters and order under this name" required maxLength={64} value={name} autoComplete="off" onChange={(event) => { setName(event.target.value); }} />
        {same !== undefined && <p className="note">There is a list of this name; it will be replaced.</p>}
        {error !== null && <p className="problem" role="alert">{error.message}</p>}
        <p className="buttons">
          <button type="submit" disabled={keep.isPending || name.trim() === ""}>Keep</button>
          <button type="button" onClick={onClose}>Cancel</button>
        </p>
      </form>
      {items.length > 0 && (
        <ul className="kept" aria-label="Kept">
          {items.map((old) => <li key={old.id}>{old.name}<button type="button" aria-label={`Remove “${old.name}”`} onClick={() => { remove.mutate(old.id); }}>Remove</button></li>)}
        </ul>
      )}
    </Dialog>
  );
}
