/** The wire shapes of /api/v1 that this page relies on; the service may add fields to any of them. */

export interface Identity {
  /** null for a machine, which has no session. */
  csrf_token: string | null;
  name: string;
  roles: string[];
}

/** What the patient is called on the wire; values are DICOM text, shown as text nodes only. */
export interface Patient {
  name: string | null;
  id: string | null;
  issuer?: string | null;
  birth_date: string | null;
  sex: string | null;
}

export type StudyState =
  | "receiving"
  | "gathering_priors"
  | "drafting"
  | "ready"
  | "draft_unavailable"
  | "not_eligible"
  | "in_review"
  | "signed"
  | "delivered"
  | "failed";

export interface WorklistItem {
  study_instance_uid: string;
  accession_number: string | null;
  patient: Patient;
  study_date: string | null;
  description: string | null;
  state: StudyState;
  reason: string | null;
  priority: string;
  received_at: string;
  lock: { owner: string } | null;
  flags: number;
  report_status: string | null;
}

export interface WorklistPage {
  items: WorklistItem[];
  next_cursor: string | null;
}

export type PriorOutcome = "found" | "none_exist" | "unavailable" | "identity_uncertain";

export interface LedgerEntry {
  study_instance_uid: string;
  study_date: string | null;
  description?: string | null;
  source?: string | null;
  decision: string;
  reason: string | null;
}

export interface StudyImage {
  study_instance_uid: string;
  series_instance_uid: string;
  sop_instance_uid: string;
  view: string | null;
  study_date: string | null;
  role: "current" | "prior";
  display_url: string;
}

export interface Lock {
  owner: string;
  mine: boolean;
  expires_at: string;
}

export interface Study {
  study_instance_uid: string;
  accession_number: string | null;
  patient: Patient;
  study_date: string | null;
  description: string | null;
  indication: string | null;
  state: StudyState;
  reason: string | null;
  revision: number;
  priority: string;
  priors: { outcome: PriorOutcome | null; reason?: string | null; entries: LedgerEntry[] };
  current_draft: { id: string; version: number; stale: boolean } | null;
  report: { id: string; status: ReportStatus; etag: string } | null;
  images: StudyImage[];
  lock: Lock | null;
  /** An image came after signing: the report stands, an addendum may be wanted. */
  addendum_suggested?: boolean;
}

export type Section = "findings" | "impression";

export interface Flag {
  code: string;
  reason: string;
}

export interface DraftSentence {
  index: number;
  section: Section;
  text: string;
  source: string;
  logprob: number | null;
  flags: Flag[];
}

export interface Draft {
  id: string;
  study_instance_uid: string;
  version: number;
  stale: boolean;
  sentences: DraftSentence[];
  model: string;
  weights_digest: string;
  prompt_version: string;
  image_digests: string[];
}

export type Decision = "pending" | "accepted" | "edited" | "rejected" | "added";

export interface SentenceDecision {
  index: number;
  decision: Decision;
  text: string;
}

/** FHIR DiagnosticReport.status codes. */
export type ReportStatus =
  | "registered"
  | "partial"
  | "preliminary"
  | "final"
  | "amended"
  | "corrected"
  | "appended"
  | "cancelled"
  | "entered-in-error";

export interface Signature {
  name: string;
  signed_at: string;
  meaning: string;
}

export interface Addendum {
  text: string;
  signature: Signature | null;
}

export interface ReportText {
  findings: string;
  impression: string;
  sentences: SentenceDecision[];
}

export interface Report extends ReportText {
  id: string;
  study_instance_uid: string;
  draft_id: string | null;
  status: ReportStatus;
  etag: string;
  author: string | null;
  signature: Signature | null;
  addenda: Addendum[];
}

export interface Delivery {
  channel: string;
  destination: string;
  status: string;
  attempts: number;
  last_error: string | null;
  delivered_at: string | null;
}

/** One display-normalised frame: larger value = brighter, row-major, values 0-65535. */
export interface Frame {
  rows: number;
  columns: number;
  values: Uint16Array;
  /** LINEAR window of PS3.3 C.11.2.1.2 on `values`. */
  window: { center: number; width: number };
  /** Height of a pixel over its width; 1 where the spacing is unknown. */
  aspect: number;
  /** Patient side at the right and at the lower edge (PS3.3 C.7.6.1.1.1), e.g. ["L", "F"]; null where the image does not say. */
  orientation: { right: string; bottom: string } | null;
}
