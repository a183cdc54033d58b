import { readFrame } from "../viewer/frame";
import type { Http } from "./http";
import type { Addendum, Delivery, Draft, Frame, Identity, Lock, Report, ReportText, Study, WorklistPage } from "./types";

export interface WorklistFilter {
  state: string;
  priority: string;
  q: string;
}

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

  worklist(filter: WorklistFilter, cursor: string | null, signal: AbortSignal): Promise<WorklistPage> {
    const query = new URLSearchParams({ limit: "50" });
    for (const [key, value] of Object.entries({ ...filter, cursor })) if (value) query.set(key, value);
    return this.http.json(`/worklist?${query.toString()}`, { signal });
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

  async rejectReport(id: string, reason: string): Promise<void> {
    await this.http.send(`${report(id)}/reject`, { method: "POST", body: { reason } });
  }

  async deliveries(id: string): Promise<Delivery[]> {
    return (await this.http.json<{ items: Delivery[] }>(`${report(id)}/deliveries`)).items;
  }

  async frame(displayUrl: string, signal: AbortSignal): Promise<Frame> {
    return readFrame(await this.http.send(displayUrl, { signal }));
  }

  private entered(identity: Identity): Identity {
    this.http.setToken(identity.csrf_token);
    return identity;
  }
}

const study = (uid: string) => `/studies/${encodeURIComponent(uid)}`;
const report = (id: string) => `/reports/${encodeURIComponent(id)}`;
