import { readFrame, type Frame } from "../viewer/frame";
import type { Http } from "./http";
import type { Addendum, Delivery, Draft, FindStudies, Identity, Keys, Lock, OpenCriticalFinding, Reading, RecordCriticalResult, Remark, Report, ReportText, SavedText, Study, WorklistCounts, WorklistList, WorklistPage, WriteList, WriteText } from "./types";

export interface Signing {
  password: string;
  meaning: string;
}

/** Every call the page makes, by the name of what it does. */
export class Client {
  readonly http: Http;

  constructor(http: Http) {
    this.http = http;
  }

  async login(username: string, password: string): Promise<Identity> {
    return this.entered(await this.http.json<Identity>("/auth/login", { method: "POST", body: { username, password } }));
  }

  async me(): Promise<Identity> {
    return this.entered(await this.http.json<Identity>("/auth/me"));
  }

  async logout(): Promise<void> {
    await this.http.send("/auth/logout", { method: "POST" });
    this.http.setToken(null);
  }

  /** The reader's own; every other session of his ends. */
  async changePassword(password: string, wanted: string): Promise<void> {
    await this.http.send("/auth/password", { method: "POST", body: { password, new_password: wanted }, stepUp: true });
  }

  /** All that the reader has changed, at once; an act that is left out goes back to the page's own key. */
  keepKeys(keys: Readonly<Record<string, string>>): Promise<Keys> {
    return this.http.json("/auth/keys", { method: "PUT", body: { keys } });
  }

  /** In a body and not in an address: what is looked for may be a patient's name. */
  worklist(asked: Partial<FindStudies>, signal?: AbortSignal): Promise<WorklistPage> {
    return this.http.json("/worklist/search", { method: "POST", body: asked, ...(signal && { signal }) });
  }

  worklistCounts(signal: AbortSignal): Promise<WorklistCounts> {
    return this.http.json("/worklist/counts", { signal });
  }

  async worklistLists(signal: AbortSignal): Promise<WorklistList[]> {
    return (await this.http.json<{ items: WorklistList[] }>("/worklist-lists", { signal })).items;
  }

  /** A new list. */
  async keepWorklistList(given: WriteList): Promise<void> {
    await this.http.send("/worklist-lists", { method: "POST", body: given });
  }

  async replaceWorklistList(id: string, given: WriteList): Promise<void> {
    await this.http.send(`/worklist-lists/${encodeURIComponent(id)}`, { method: "PUT", body: given });
  }

  async removeWorklistList(id: string): Promise<void> {
    await this.http.send(`/worklist-lists/${encodeURIComponent(id)}`, { method: "DELETE" });
  }

  study(uid: string): Promise<Study> {
    return this.http.json(study(uid));
  }

  claim(uid: string): Promise<Lock> {
    return this.http.json(`${study(uid)}/claim`, { method: "POST" });
  }

  async release(uid: string): Promise<void> {
    await this.http.send(`${study(uid)}/claim`, { method: "DELETE", keepalive: true });
  }

  async redraft(uid: string): Promise<void> {
    await this.http.send(`${study(uid)}/redraft`, { method: "POST" });
  }

  /** Has the images of an earlier study of the ledger fetched; a repeat changes nothing. */
  async fetchPrior(uid: string, prior: string): Promise<void> {
    await this.http.send(`${study(uid)}/priors/${encodeURIComponent(prior)}/fetch`, { method: "POST" });
  }

  /** An image was really shown to the reader. */
  viewed(uid: string, sopInstanceUid: string): Promise<Reading> {
    return this.http.json(`${study(uid)}/views`, { method: "POST", body: { sop_instance_uid: sopInstanceUid } });
  }

  /** The reader says that he has looked at what he was shown. */
  looked(uid: string): Promise<Reading> {
    return this.http.json(`${study(uid)}/views`, { method: "POST", body: { looked: true } });
  }

  async remark(draftId: string, remark: Remark): Promise<void> {
    await this.http.send(`/drafts/${encodeURIComponent(draftId)}/feedback`, { method: "POST", body: remark });
  }

  draft(id: string): Promise<Draft> {
    return this.http.json(`/drafts/${encodeURIComponent(id)}`);
  }

  startReport(uid: string, draftId: string | null): Promise<Report> {
    const body = draftId === null ? { study_instance_uid: uid } : { study_instance_uid: uid, draft_id: draftId };
    return this.http.json("/reports", { method: "POST", body });
  }

  report(id: string): Promise<Report> {
    return this.http.json(report(id));
  }

  saveReport(id: string, etag: string, text: ReportText): Promise<Report> {
    return this.http.json(report(id), { method: "PUT", body: text, ifMatch: etag });
  }

  async sign(id: string, etag: string, signing: Signing): Promise<void> {
    await this.http.send(`${report(id)}/sign`, { method: "POST", body: signing, ifMatch: etag, stepUp: true });
  }

  async addAddendum(id: string, text: Addendum["text"], signing: Signing): Promise<void> {
    await this.http.send(`${report(id)}/addenda`, { method: "POST", body: { text, ...signing }, stepUp: true });
  }

  openCriticalFinding(id: string, found: OpenCriticalFinding): Promise<Report> {
    return this.http.json(`${report(id)}/critical-findings`, { method: "POST", body: found });
  }

  dropCriticalFinding(id: string, findingId: string, reason: string): Promise<Report> {
    return this.http.json(`${report(id)}/critical-findings/${encodeURIComponent(findingId)}/drop`, { method: "POST", body: { reason } });
  }

  recordCriticalResult(id: string, told: RecordCriticalResult): Promise<Report> {
    return this.http.json(`${report(id)}/critical-result`, { method: "POST", body: told });
  }

  async rejectReport(id: string, reason: string): Promise<void> {
    await this.http.send(`${report(id)}/reject`, { method: "POST", body: { reason } });
  }

  async deliveries(id: string): Promise<Delivery[]> {
    return (await this.http.json<{ items: Delivery[] }>(`${report(id)}/deliveries`)).items;
  }

  async texts(): Promise<SavedText[]> {
    return (await this.http.json<{ items: SavedText[] }>("/report-texts")).items;
  }

  addText(text: WriteText): Promise<SavedText> {
    return this.http.json("/report-texts", { method: "POST", body: text });
  }

  changeText({ id, etag }: SavedText, text: WriteText): Promise<SavedText> {
    return this.http.json(savedText(id), { method: "PUT", body: text, ifMatch: etag });
  }

  async removeText({ id, etag }: SavedText): Promise<void> {
    await this.http.send(savedText(id), { method: "DELETE", ifMatch: etag });
  }

  /** priority: "low" for what nobody is waiting for. */
  async frame(displayUrl: string, signal: AbortSignal, priority: RequestPriority = "high"): Promise<Frame> {
    return readFrame(await this.http.send(displayUrl, { signal, priority }));
  }

  private entered(identity: Identity): Identity {
    this.http.setToken(identity.csrf_token);
    return identity;
  }
}

const study = (uid: string) => `/studies/${encodeURIComponent(uid)}`;
const report = (id: string) => `/reports/${encodeURIComponent(id)}`;
const savedText = (id: string) => `/report-texts/${encodeURIComponent(id)}`;
