/** The wire shapes of /api/v1, by the names this page calls them; `schema.d.ts` is generated (`npm run types`). */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Identity = Schemas["Identity"];
export type Patient = Schemas["PatientOut"];
export type StudyState = Schemas["Stage"];
export type WorklistItem = Schemas["WorklistItem"];
export type WorklistPage = Schemas["WorklistPage"];
export type PriorOutcome = Schemas["PriorOutcome"];
export type LedgerEntry = Schemas["LedgerEntryOut"];
export type StudyImage = Schemas["ImageOut"];
export type Lock = Schemas["LockOut"];
export type Study = Schemas["StudyOut"];
export type Section = Schemas["Section"];
export type Flag = Schemas["FlagOut"];
export type DraftSentence = Schemas["DraftSentenceOut"];
export type Draft = Schemas["DraftOut"];
export type Decision = Schemas["Decision"];
export type SentenceDecision = Schemas["SentenceDecision"];
export type ReportStatus = Schemas["ReportStatus"];
export type Signature = Schemas["SignatureOut"];
export type Addendum = Schemas["AddendumOut"];
export type ReportText = Schemas["WriteReport"];
export type Report = Schemas["ReportOut"];
export type Delivery = Schemas["DeliveryOut"];

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
