import { useState } from "react";
import type { Study, StudyImage } from "../api/types";
import { dayInWords, intervalInWords } from "../words/dates";
import { priorsInWords } from "../words/said";
import { hang } from "./hanging";
import { Pane } from "./pane";

interface Props {
  study: Study;
  /** Whether the image with this SOP Instance UID is truly on the screen. */
  onShown: (sopInstanceUid: string, shown: boolean) => void;
}

/** Current on the left, prior on the right; what is missing is said in its place. */
export function ImagePanes({ study, onShown }: Props) {
  const hung = hang(study.images);
  const [chosen, setChosen] = useState<{ current?: string; prior?: string }>({});
  const of = (role: StudyImage["role"]) => study.images.filter((image) => image.role === role);
  const shown = (role: StudyImage["role"]) => of(role).find(({ sop_instance_uid }) => sop_instance_uid === chosen[role]) ?? hung[role];
  const [current, prior] = [shown("current"), shown("prior")];
  const priors = priorsInWords(study.priors.outcome);

  return (
    <div className="panes">
      <Pane
        heading="Current"
        caption={current === null ? "" : caption(current)}
        image={current}
        choices={of("current")}
        onChoose={(sop) => { setChosen({ ...chosen, current: sop }); }}
        onShown={onShown}
        missing={<p>No image of this study can be shown yet.</p>}
      />
      <Pane
        heading="Prior"
        caption={prior === null ? "" : priorCaption(prior, study.study_date)}
        image={prior}
        choices={of("prior")}
        onChoose={(sop) => { setChosen({ ...chosen, prior: sop }); }}
        onShown={onShown}
        missing={<div className={priors.warns ? "warns" : ""}><h3>{priors.headline}</h3><p>{priors.detail}</p></div>}
      />
    </div>
  );
}

export function caption(image: StudyImage): string {
  return [image.view, dayInWords(image.study_date)].filter((part) => part !== null && part !== "").join(" · ");
}

function priorCaption(image: StudyImage, studyDate: string | null): string {
  const interval = intervalInWords(image.study_date, studyDate);
  if (interval === null) return caption(image);
  return `${caption(image)} · ${interval === "same day" ? interval : `${interval} earlier`}`;
}
