import type { DraftSentence, DraftStatus, PriorOutcome, ReadingMode, Remark, ReportStatus, StudyState, Urgency } from "../api/types";

/** Said wherever a draft can be seen. */
export const RESEARCH = "AI draft, unverified — research system, not for diagnosis";

export const STATES: Readonly<Record<StudyState, string>> = {
  receiving: "Receiving images",
  gathering_priors: "Fetching priors",
  drafting: "Drafting",
  ready: "Draft ready",
  draft_unavailable: "Draft unavailable",
  not_eligible: "Not eligible for a draft",
  in_review: "In review",
  signed: "Signed",
  delivered: "Delivered",
  failed: "Failed",
};

/** Why there is no draft to read, and what can be done instead; null for the states that have or had one. */
export const NO_DRAFT: Readonly<Record<StudyState, string | null>> = {
  receiving: "Images are still arriving. A draft is written when the study is complete.",
  gathering_priors: "The study is complete; earlier studies are being fetched before a draft is written.",
  drafting: "The draft is being written.",
  ready: null,
  draft_unavailable: "No draft could be written. The study can be read and reported by hand.",
  not_eligible: "This study is outside what the model may draft. It can be read and reported by hand.",
  in_review: null,
  signed: null,
  delivered: null,
  failed: "Processing stopped before a draft was written. The study can be read and reported by hand.",
};

export interface Said {
  headline: string;
  detail: string;
  /** Whether the reader must not take it for "there is no prior". */
  warns: boolean;
}

export const PRIORS: Readonly<Record<PriorOutcome, Said>> = {
  found: { headline: "Prior found", detail: "The newest relevant earlier radiograph was fetched and its identity checked.", warns: false },
  none_exist: {
    headline: "No prior available",
    detail: "The archive was searched and holds no earlier chest radiograph of this patient.",
    warns: false,
  },
  unavailable: {
    headline: "Priors could not be fetched",
    detail: "The archive did not answer in full. Earlier radiographs may exist: this is not “no prior”.",
    warns: true,
  },
  identity_uncertain: {
    headline: "Identity of the priors is uncertain",
    detail: "Earlier studies carry this patient ID, but the other identifiers disagree. None is shown or compared with.",
    warns: true,
  },
};

const SEARCHING: Said = { headline: "Looking for priors", detail: "The archive has not been searched yet.", warns: false };

export function priorsInWords(outcome: PriorOutcome | null): Said {
  return outcome === null ? SEARCHING : PRIORS[outcome];
}

const DECISIONS: Readonly<Record<string, string>> = { chosen: "Compared with", rejected: "Not used", failed: "Could not be fetched", considered: "Considered" };

export function ledgerDecision(decision: string): string {
  return DECISIONS[decision] ?? decision;
}

const SOURCES: Readonly<Record<string, string>> = { image: "from the image", prior: "from the prior", order: "from the order" };

export function sourceInWords(source: string): string {
  return SOURCES[source] ?? `from ${source}`;
}

/** The model's mean token probability, in words and per cent. It says how sure of its words the model was, not how right. */
export function confidenceInWords(logprob: DraftSentence["logprob"]): string {
  if (logprob === null) return "not given";
  const probability = Math.exp(logprob);
  const band = probability >= 0.9 ? "high" : probability >= 0.7 ? "medium" : "low";
  return `${band} (${Math.round(probability * 100)} %)`;
}

export const STATUSES: Readonly<Record<ReportStatus, string>> = {
  preliminary: "Preliminary, not signed",
  final: "Final",
  appended: "Final, with addendum",
  cancelled: "Withdrawn",
};

export function statusInWords(status: string): string {
  return status in STATUSES ? STATUSES[status as ReportStatus] : status;
}

export function isSigned(status: ReportStatus): boolean {
  return status === "final" || status === "appended";
}

export function isWithdrawn(status: ReportStatus): boolean {
  return status === "cancelled";
}

/** What a signer may state that the signature means (21 CFR 11.50). */
export const MEANINGS: readonly string[] = [
  "I have reviewed the images and this is my report",
  "I have reviewed the images and approve this report, interpreted by another",
];

export const ADDENDUM_MEANING = "I have reviewed the images and this is my addendum";

const PRIORITIES: Readonly<Record<string, string>> = { stat: "STAT", asap: "ASAP", urgent: "Urgent", high: "High", routine: "Routine", low: "Low" };

export function priorityInWords(priority: string): string {
  const known = priority.toLowerCase();
  return Object.hasOwn(PRIORITIES, known) ? PRIORITIES[known] ?? priority : priority;
}

export const URGENCY_WORDS: Readonly<Record<Urgency, string>> = { stat: "STAT", urgent: "Urgent", routine: "Routine", low: "Low" };

export const DRAFTS: Readonly<Record<DraftStatus, string>> = { none: "None", drafting: "Drafting", ready: "Ready", stale: "Outdated", unavailable: "No draft" };

/** In which order images and draft are met here, as the site has it. */
export const MODES: Readonly<Record<ReadingMode, string>> = {
  "draft-first": "Draft first",
  "look-first": "Look first: the draft comes after the images",
  "second-reader": "Second reader: the draft comes after your own text",
};

/** What a reader may hold against a draft; the number is its key. */
export const REMARKS: readonly { kind: Remark["kind"]; words: string }[] = [
  { kind: "wrong_side", words: "Wrong side" },
  { kind: "missed", words: "Missed a finding" },
  { kind: "hallucinated", words: "Says what is not there" },
  { kind: "style", words: "Style" },
];

/** How somebody can be told of a critical result. */
export const METHODS: readonly string[] = ["telephone", "in person", "secure message", "video call"];
