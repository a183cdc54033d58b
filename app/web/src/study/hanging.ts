import type { LedgerEntry, Study, StudyImage } from "../api/types";

const FRONTAL = new Set(["PA", "AP", "FRONTAL"]);

/** Which image each pane shows first: a frontal current view, and the newest prior of the same view, else another frontal, else any. */
export function hang(images: readonly StudyImage[]): { current: StudyImage | null; prior: StudyImage | null } {
  const currents = images.filter(({ role }) => role === "current");
  const current = currents.find(({ view }) => isFrontal(view)) ?? currents[0] ?? null;
  const priors = images.filter(({ role }) => role === "prior").sort(newestFirst);
  const same = priors.find(({ view }) => current !== null && view !== null && view !== "" && view === current.view);
  return { current, prior: same ?? priors.find(({ view }) => isFrontal(view)) ?? priors[0] ?? null };
}

/** The study with the images of this earlier one in the place of the prior's. */
export function withPrior(study: Study, prior: LedgerEntry): Study {
  return { ...study, images: [...study.images.filter(({ role }) => role === "current"), ...prior.images] };
}

export function isFrontal(view: string | null): boolean {
  return FRONTAL.has((view ?? "").toUpperCase());
}

function newestFirst(one: StudyImage, other: StudyImage): number {
  return (other.study_date ?? "").localeCompare(one.study_date ?? "");
}
