/** The wire shapes of /api/v1, by the names this page calls them; `schema.d.ts` is generated (`npm run types`). */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Identity = Schemas["Identity"];
export type Patient = Schemas["PatientOut"];
export type StudyState = Schemas["Stage"];
export type WorklistItem = Schemas["WorklistItem"];
export type WorklistPage = Schemas["WorklistPage"];
export type WorklistCounts = Schemas["WorklistCounts"];
export type WorklistList = Schemas["ListOut"];
export type Urgency = Schemas["Urgency"];
export type DraftStatus = Schemas["DraftStatus"];
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
export type Reading = Schemas["ReadingOut"];
export type ReadingMode = Schemas["ReadingMode"];
export type SavedText = Schemas["TextOut"];
export type WriteText = Schemas["WriteText"];
export type Remark = Schemas["GiveRemark"];
export type CriticalResult = Schemas["CriticalResultOut"];
export type RecordCriticalResult = Schemas["RecordCriticalResult"];
