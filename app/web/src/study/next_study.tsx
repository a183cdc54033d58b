import { useTitle } from "../keys/keys_context";
import { following, useSeenList } from "../worklist/seen_list";
import { useStudyKey } from "./study_keys";

/** On to the study after this one, in the order and filter of the list that the reader came from. */
export function NextStudy({ open, onOpen }: { open: string; onOpen: (uid: string) => void }) {
  const [next] = following(useSeenList(), open, 1);
  const go = () => { if (next !== undefined) onOpen(next); };
  useStudyKey("n", go);
  const titleOf = useTitle("study");
  return (
    <p className="next-study">
      {next === undefined && <span className="quiet">No further study in the list</span>}
      <button type="button" disabled={next === undefined} title={titleOf("Next study of the list, as it was sorted and filtered", "n")} onClick={go}>Next study</button>
    </p>
  );
}
