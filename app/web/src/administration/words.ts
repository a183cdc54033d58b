import { spanInWords } from "../worklist/clock";
import type { Act } from "./calls";
import type { DeadLetter, Echo, Role } from "./types";

export const ROLES: Readonly<Record<Role, { words: string; may: string }>> = {
  radiologist: { words: "Radiologist", may: "reads studies, writes and signs reports" },
  viewer: { words: "Viewer", may: "looks at studies and signed reports" },
  lead: { words: "Lead", may: "sees how drafts are used, without patients" },
  auditor: { words: "Auditor", may: "searches and checks the audit chain" },
  admin: { words: "Administrator", may: "looks after people, peers, queues and the site’s texts; sees studies and the audit chain" },
  ris: { words: "RIS", may: "a machine: follows what becomes of studies, asks for drafts" },
  pacs: { words: "PACS", may: "a machine: sends and fetches images over DICOMweb" },
};

const TASKS: Readonly<Record<string, string>> = {
  "priors.gather": "Search for priors",
  "priors.fetch": "Fetch an earlier study",
  "drafting.write": "Write the draft",
  "evidence.point": "Point at evidence",
  "delivery.send": "Deliver the report",
};

/** What a reader may want beside the draft: the study's road does not wait for it. */
const ASIDE: ReadonlySet<string> = new Set(["priors.fetch", "evidence.point"]);

export function taskInWords(task: string): string {
  return TASKS[task] ?? task;
}

const JOB_STATES: Readonly<Record<string, string>> = { queued: "waiting", running: "running", dead: "dead", done: "done", superseded: "replaced by a newer job", dropped: "dropped" };

export function jobStateInWords(state: string): string {
  return JOB_STATES[state] ?? state;
}

const PEER_KINDS: Readonly<Record<string, string>> = { dicom: "DICOM", model: "Model server" };

export function peerKindInWords(kind: string): string {
  return PEER_KINDS[kind] ?? kind;
}

const PEER_ROLES: Readonly<Record<string, string>> = { send: "sends images", query_retrieve: "is searched for priors", results: "receives results" };

export function peerRolesInWords(roles: readonly string[]): string {
  return roles.length === 0 ? "none" : roles.map((role) => PEER_ROLES[role] ?? role).join(", ");
}

export function echoInWords({ outcome, seconds, error }: Echo): string {
  if (outcome === "answered") return seconds === null ? "Answered" : `Answered in ${secondsInWords(seconds)}`;
  return `${outcome === "failed" ? "No answer" : "Not asked"}: ${error ?? "no reason was given"}`;
}

/** "0.02 s", "9.8 s": how long an answer took. */
function secondsInWords(seconds: number): string {
  return `${seconds < 1 ? Math.max(seconds, 0.01).toFixed(2) : seconds.toFixed(1)} s`;
}

/** "40 s", "12 min", "3 h 05", "2 d 4 h": how old something is. */
export function ageInWords(seconds: number): string {
  return seconds < 60 ? `${Math.floor(seconds)} s` : spanInWords(seconds * 1000);
}

/** What an act on a dead letter does to its study, said before it is done. */
export function consequence(act: Act, task: string): string {
  if (task === "delivery.send") {
    return act === "retry"
      ? "What did not arrive is sent again; a receiver that has its document already gets no second one."
      : "The report stays signed, but it is not sent any more: see to it that its receiver gets it in another way.";
  }
  if (act === "drop") return "The study stays as it is, and can still be read and signed by hand.";
  return ASIDE.has(task) ? "The job is queued again; no study waits for it." : "The study takes its road again, from the search for priors on.";
}

/** What became of the letter, as the service answered: it may have been settled by somebody else meanwhile. */
export function settledInWords(act: Act, { task, state }: DeadLetter): string {
  const name = taskInWords(task);
  if (act === "drop") return state === "dropped" ? `Dropped: ${name}.` : `Not dropped: ${name}. Somebody took it up meanwhile; it is ${jobStateInWords(state)}.`;
  return state === "dropped" ? `Not tried again: ${name}. Somebody dropped it meanwhile.` : `Taken up again: ${name}.`;
}
