import type { StudyImage } from "../api/types";
import { dayInWords, intervalInWords } from "../words/dates";

/** "PA · 1 Mar 2026" */
export function caption(image: StudyImage): string {
  return [image.view, dayInWords(image.study_date)].filter((part) => part !== null && part !== "").join(" · ");
}

/** "PA · 15 Nov 2024 · 15 months earlier" */
export function priorCaption(image: StudyImage, studyDate: string | null): string {
  return [caption(image), earlierBy(image.study_date, studyDate)].filter((part) => part !== "").join(" · ");
}

/** The date large, and for a prior how long before: nobody may take one image for the other. */
export function Taken({ image, before }: { image: StudyImage; before: string | null }) {
  const interval = before === null ? "" : earlierBy(image.study_date, before);
  return (
    <p className="caption">
      {image.view !== null && image.view !== "" && <span className="caption-view">{`${image.view} · `}</span>}
      <span className="caption-date">{dayInWords(image.study_date)}</span>
      {interval !== "" && <span className="caption-interval">{` · ${interval}`}</span>}
    </p>
  );
}

/** "15 months earlier", "same day"; "" where a date is not known. */
export function earlierBy(date: string | null, studyDate: string | null): string {
  const interval = intervalInWords(date, studyDate);
  if (interval === null) return "";
  return interval === "same day" ? interval : `${interval} earlier`;
}
