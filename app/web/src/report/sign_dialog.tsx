import { useMutation, useQuery } from "@tanstack/react-query";
import type { Report, Study } from "../api/types";
import { useServices } from "../app_context";
import { Dialog } from "../dialog";
import { dayInWords } from "../words/dates";
import { nameInWords } from "../words/person";
import { MEANINGS, STATUSES } from "../words/said";
import type { Autosave } from "./autosave";
import { ReportBody } from "./report_body";
import { SigningForm } from "./signing_form";

interface Props {
  study: Study;
  saver: Autosave;
  onClose: () => void;
  onSigned: () => void;
}

/** Shows the text the service holds, which is the text that leaves, and signs that version and no other. */
export function SignDialog({ study, saver, onClose, onSigned }: Props) {
  const { client, reader } = useServices();
  const saved = useQuery({ queryKey: ["preview", saver.saved.id], queryFn: () => saver.flush(), staleTime: 0, gcTime: 0, retry: false });
  const sign = useMutation({
    mutationFn: ({ report, ...signing }: { report: Report; password: string; meaning: string }) => client.sign(report.id, report.etag, signing),
    onSuccess: onSigned,
  });
  return (
    <Dialog title="Sign this report" onClose={onClose}>
      {saved.isPending && <p role="status">Saving the last changes…</p>}
      {saved.isError && <p className="problem" role="alert">The latest text could not be saved, so it cannot be signed. Close this and look at the note above the report.</p>}
      {saved.data !== undefined && (
        <>
          <p>This is what is signed and sent, word for word:</p>
          <Preview study={study} report={saved.data} signer={reader.name} />
          <SigningForm
            signer={reader.name}
            meanings={MEANINGS}
            verb="Sign and send"
            isFirst
            busy={sign.isPending}
            fault={sign.error?.message ?? null}
            onSign={(signing) => { sign.mutate({ report: saved.data, ...signing }); }}
            onCancel={onClose}
          />
        </>
      )}
    </Dialog>
  );
}

function Preview({ study, report, signer }: { study: Study; report: Report; signer: string }) {
  const { patient } = study;
  return (
    <div className="preview" role="group" aria-label="What is sent">
      <p className="preview-head">
        <strong>{nameInWords(patient.name)}</strong>
        {` · ${patient.id ?? "no ID"} · born ${dayInWords(patient.birth_date)} · accession ${study.accession_number ?? "none"} · study of ${dayInWords(study.study_date)}`}
      </p>
      <p><strong>{`Status: ${STATUSES.final}`}</strong>{`, to be signed by ${signer}; now ${STATUSES[report.status].toLowerCase()}`}</p>
      <ReportBody findings={report.findings} impression={report.impression} />
      <p className="facts">It goes to every receiver of results that is set up; each is listed under the report with whether it has arrived.</p>
    </div>
  );
}
