import { useMutation } from "@tanstack/react-query";
import { useId } from "react";
import { Problem } from "../api/http";
import type { Study } from "../api/types";
import { useServices } from "../app_context";
import { usePrimaryKey } from "../primary_key";
import { dayInWords } from "../words/dates";
import { useReading } from "./view_receipts";

/** Whether the service keeps words of a draft from this reader for now: no fault, there is something to do first. */
export function isWithheld(error: unknown): boolean {
  return error instanceof Problem && error.fields["type"] === "urn:unirg:problem:draft-withheld";
}

/** What is to be done before the draft is shown. */
export function Withheld({ study }: { study: Study }) {
  const { mode, reason } = study.reading;
  const heading = useId();
  return (
    <section className="withheld" aria-labelledby={heading}>
      <h2 id={heading}>The draft is not shown yet</h2>
      {mode === "look-first" && <p>Images are read here before the draft, so that the draft cannot lead the eye.</p>}
      {mode === "second-reader" && <p>A second reader writes findings or an impression of his own before he compares them with the draft.</p>}
      <p role="status"><strong>{reason ?? "Open the study again: something changed."}</strong></p>
      {mode === "look-first" && <Images study={study} />}
    </section>
  );
}

function Images({ study }: { study: Study }) {
  const current = study.images.filter(({ role }) => role === "current");
  const unviewed = new Set(study.reading.unviewed);
  return (
    <ul className="looked-at" aria-label="Images of this study">
      {current.map(({ sop_instance_uid: sop, view, study_date }, at) => (
        <li key={sop}>{`${unviewed.has(sop) ? "○ Not seen yet" : "✓ Seen"}: image ${at + 1} of ${current.length}, ${view ?? "view unknown"}, ${dayInWords(study_date)}`}</li>
      ))}
    </ul>
  );
}

/** The reader's own word that he has looked; taken when every image was on the screen. */
export function LookedButton({ study, isPrimary, onLooked }: { study: Study; isPrimary: boolean; onLooked: () => void }) {
  const { client } = useServices();
  const toReading = useReading(study.study_instance_uid);
  const isReady = study.reading.unviewed.length === 0;
  const say = useMutation({
    mutationFn: () => client.looked(study.study_instance_uid),
    onSuccess: (reading) => {
      toReading(reading);
      onLooked();
    },
  });
  const press = () => { if (!say.isPending) say.mutate(); };
  usePrimaryKey(isPrimary && isReady ? press : null);
  return (
    <>
      <button type="button" className={isPrimary ? "primary" : ""} disabled={!isReady || say.isPending} title={isPrimary ? "Ctrl+Enter" : undefined} onClick={press}>
        I have looked: show the draft
      </button>
      {!isReady && <p className="quiet">Bring every image onto the screen first; those not seen yet are named above.</p>}
      {say.isError && <p className="problem" role="alert">{say.error.message}</p>}
    </>
  );
}
