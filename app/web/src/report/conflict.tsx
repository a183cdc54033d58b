import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Report } from "../api/types";
import { useServices } from "../app_context";
import type { Autosave } from "./autosave";
import { ReportBody } from "./report_body";

/** Two versions of one report: both are shown, and the reader says which stands. Nothing is dropped before that. */
export function Conflict({ saver, onTaken }: { saver: Autosave; onTaken: (theirs: Report) => void }) {
  const { client } = useServices();
  const [mine] = useState(saver.unsaved);
  const theirs = useQuery({ queryKey: ["report", saver.saved.id, "conflict"], queryFn: () => client.report(saver.saved.id), staleTime: 0, gcTime: 0 });
  if (theirs.isError) return <p className="problem" role="alert">{`The other version could not be read. ${theirs.error.message}`}</p>;
  if (theirs.data === undefined || mine === null) return <p className="problem" role="alert">The report was changed elsewhere; reading the other version…</p>;
  const { data } = theirs;
  return (
    <section className="conflict" role="alertdialog" aria-labelledby="conflict-title">
      <h2 id="conflict-title">This report was changed elsewhere while you were writing</h2>
      <div className="two">
        <div><h3>Your text, not saved</h3><ReportBody findings={mine.findings} impression={mine.impression} /></div>
        <div><h3>{`Saved text, by ${data.author}`}</h3><ReportBody findings={data.findings} impression={data.impression} /></div>
      </div>
      <p>
        <button type="button" className="primary" onClick={() => { saver.rebase(data); }}>Keep mine, over the saved text</button>
        <button
          type="button"
          onClick={() => {
            saver.adopt(data);
            onTaken(data);
          }}
        >
          Take the saved text, let mine go
        </button>
      </p>
    </section>
  );
}
