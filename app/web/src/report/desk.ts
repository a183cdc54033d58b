import type { Report, ReportText } from "../api/types";
import type { Client } from "../api/client";
import { Autosave } from "./autosave";

/**
 * The reports this reader has open, in memory only. It outlives the study view: a session that ends takes the text
 * off the screen, and the same reader finds it again after logging in.
 */
export class Desk {
  private readonly open = new Map<string, Autosave>();

  constructor(
    private readonly client: Client,
    private readonly onSaved: (report: Report) => void,
  ) {}

  /** The saver of a report; one whose text is not saved yet is kept, whatever the service's version is by now. */
  autosave(report: Report): Autosave {
    const kept = this.open.get(report.id);
    if (kept !== undefined && (kept.unsaved !== null || kept.saved.etag === report.etag)) return kept;
    const fresh = new Autosave(report, (etag, text: ReportText) => this.client.saveReport(report.id, etag, text), this.onSaved);
    this.open.set(report.id, fresh);
    return fresh;
  }

  /** Tries to save everything; resolves to whether nothing is left unsaved. */
  async flush(): Promise<boolean> {
    const results = await Promise.allSettled([...this.open.values()].map((saver) => saver.flush()));
    return results.every(({ status }) => status === "fulfilled");
  }

  /** What the service does not have of this report, or null. */
  unsaved(reportId: string): ReportText | null {
    return this.open.get(reportId)?.unsaved ?? null;
  }

  get hasUnsaved(): boolean {
    return [...this.open.values()].some((saver) => saver.unsaved !== null);
  }

  clear(): void {
    for (const saver of this.open.values()) saver.dispose();
    this.open.clear();
  }
}
