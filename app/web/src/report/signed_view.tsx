import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import type { Addendum, Report, Signature, Study } from "../api/types";
import { mayReport, useServices } from "../app_context";
import { useTitle } from "../keys/keys_context";
import { momentInWords } from "../words/dates";
import { STATUSES } from "../words/said";
import { AddendumDialog } from "./addendum_dialog";
import { CriticalPart, Recorded, useCritical } from "./critical";
import { Deliveries } from "./deliveries";
import { usePanelKeys } from "./panel_keys";
import { ReportBody } from "./report_body";

/** A signed report: it can be read and added to, never changed. */
export function SignedView({ study, reportId, etag }: { study: Study; reportId: string; etag: string }) {
  const { client, reader } = useServices();
  const queries = useQueryClient();
  const [adding, setAdding] = useState(false);
  const panel = useRef<HTMLElement>(null);
  const critical = useCritical(study);
  const titleOf = useTitle("report");
  usePanelKeys(panel);
  const report = useQuery({ queryKey: ["report", reportId, etag], queryFn: () => client.report(reportId) });
  const onAdded = () => {
    setAdding(false);
    for (const queryKey of [["study", study.study_instance_uid], ["report"], ["deliveries"], ["worklist"]]) void queries.invalidateQueries({ queryKey });
  };
  return (
    <section className="report signed" aria-label="Report" ref={panel}>
      {report.isPending && <p role="status" className="waiting">Reading the report…</p>}
      {report.isError && <p className="problem" role="alert">{report.error.message}</p>}
      {report.data !== undefined && (
        <div className="report-scroll">
          {study.addendum_suggested && <p className="note" role="status">An image arrived after this report was signed. The report stands; look whether an addendum is wanted.</p>}
          <Leftover reportId={reportId} />
          <Text report={report.data} />
          <CriticalPart study={study} critical={critical} />
          <Recorded study={study} />
          {mayReport(reader) && <p><button type="button" data-key="c" title={titleOf("Record who was told of a critical finding", "c")} onClick={critical.ask}>Critical result…</button></p>}
          <Deliveries reportId={reportId} />
        </div>
      )}
      {mayReport(reader) && (
        <footer className="report-foot">
          <button type="button" onClick={() => { setAdding(true); }}>Add an addendum…</button>
        </footer>
      )}
      {adding && <AddendumDialog reportId={reportId} onClose={() => { setAdding(false); }} onAdded={onAdded} />}
    </section>
  );
}

/** Text of this reader that came too late to be saved: somebody else has signed. It can be copied from here. */
function Leftover({ reportId }: { reportId: string }) {
  const { desk } = useServices();
  const text = desk.unsaved(reportId);
  if (text === null) return null;
  return (
    <section className="problem" aria-label="Your unsaved text">
      <h3>This report was signed before your last words were saved. They are not part of it:</h3>
      <ReportBody findings={text.findings} impression={text.impression} />
    </section>
  );
}

function Text({ report }: { report: Report }) {
  return (
    <article aria-label="Signed report">
      <h2>{STATUSES[report.status]}</h2>
      <ReportBody findings={report.findings} impression={report.impression} />
      {report.signature !== null && <Signed signature={report.signature} />}
      {report.addenda.map((addendum, index) => <Added key={`${index}-${addendum.text}`} addendum={addendum} number={index + 1} />)}
    </article>
  );
}

function Added({ addendum, number }: { addendum: Addendum; number: number }) {
  return (
    <section className="addendum" aria-label={`Addendum ${number}`}>
      <h3>{`Addendum ${number}`}</h3>
      <p className="prose">{addendum.text}</p>
      <Signed signature={addendum.signature} />
    </section>
  );
}

/** Name, time and meaning, wherever a signed text is read (21 CFR 11.50). */
function Signed({ signature }: { signature: Signature }) {
  return (
    <p className="signature">
      {`Signed by ${signature.name}, ${momentInWords(signature.signed_at)}`}
      <br />
      {`“${signature.meaning}”`}
    </p>
  );
}
