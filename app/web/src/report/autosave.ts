import { Problem, Unreachable } from "../api/http";
import type { Report, ReportText } from "../api/types";

/**
 * Saved this long after the last key, and never later than `LONGEST` after the first unsaved one, in ms. A browser that
 * dies loses at most 5 s of typing: the last of them is for the service, which has a text only when its answer comes.
 */
const IDLE = 2_000;
const LONGEST = 4_000;
const RETRIES = [2_000, 4_000, 8_000, 15_000] as const;

export type SaveState =
  | { kind: "saved"; at: number | null }
  | { kind: "waiting" }
  | { kind: "saving" }
  /** No answer from the service: tried again by itself. */
  | { kind: "offline" }
  /** Somebody else saved in between (412): the reader must choose. */
  | { kind: "conflict" }
  /** The service will not take it (409: locked or signed; 4xx): the text stays here. */
  | { kind: "refused"; problem: Problem };

/** Asked to finish saving, it could not. */
export class NotSaved extends Error {
  constructor(readonly state: SaveState) {
    super("The report is not saved yet.");
  }
}

type Save = (etag: string, text: ReportText) => Promise<Report>;

/**
 * Keeps the service's copy of one report up to date: one PUT at a time, each with the entity tag the last one gave.
 * It never drops a text: whatever was not accepted stays in `unsaved` until it is, or until the reader lets it go.
 */
export class Autosave {
  private state: SaveState = { kind: "saved", at: null };
  private etag: string;
  private pending: ReportText | null = null;
  private waitingSince: number | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: Promise<void> | null = null;
  private failures = 0;
  private readonly listeners = new Set<() => void>();

  constructor(
    private report: Report,
    private readonly save: Save,
    private readonly onSaved: (report: Report) => void = () => undefined,
  ) {
    this.etag = report.etag;
  }

  /** For useSyncExternalStore. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): SaveState => this.state;

  /** What the service does not have yet, or null. */
  get unsaved(): ReportText | null {
    return this.pending;
  }

  /** The report as the service last gave it. */
  get saved(): Report {
    return this.report;
  }

  change(text: ReportText): void {
    this.pending = text;
    if (this.isStuck) return;
    this.waitingSince ??= Date.now();
    if (this.state.kind !== "saving" && this.state.kind !== "offline") this.enter({ kind: "waiting" });
    if (this.state.kind !== "offline") this.schedule(this.soon());
  }

  /** Saves now. Resolves with what the service holds; raises NotSaved where it does not hold the latest text. */
  async flush(): Promise<Report> {
    clearTimeout(this.timer);
    if (this.running !== null) await this.running;
    if (this.pending !== null && !this.isStuck) await this.run();
    if (this.pending !== null) throw new NotSaved(this.state);
    return this.report;
  }

  /** Saves the present text again, which tells the service that its reader has looked at what changed. */
  touch(): Promise<Report> {
    const { findings, impression, sentences } = this.report;
    this.pending ??= { findings, impression, sentences };
    return this.flush();
  }

  /** Goes on from the service's present version; the unsaved text, if any, is saved over it. */
  rebase(report: Report): void {
    this.report = report;
    this.etag = report.etag;
    this.failures = 0;
    this.enter(this.pending === null ? { kind: "saved", at: Date.now() } : { kind: "waiting" });
    if (this.pending !== null) void this.run();
  }

  /** Lets the unsaved text go and takes the service's version instead. */
  adopt(report: Report): void {
    this.pending = null;
    this.waitingSince = null;
    this.rebase(report);
  }

  /** Tries again after a refusal, when its cause may be gone. */
  retry(): void {
    if (this.state.kind === "refused" || this.state.kind === "offline") this.rebase(this.report);
  }

  dispose(): void {
    clearTimeout(this.timer);
  }

  private get isStuck(): boolean {
    return this.state.kind === "conflict" || this.state.kind === "refused";
  }

  private soon(): number {
    const since = this.waitingSince ?? Date.now();
    return Math.min(IDLE, Math.max(0, since + LONGEST - Date.now()));
  }

  private schedule(after: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.run(), after);
  }

  private run(): Promise<void> {
    clearTimeout(this.timer);
    this.running ??= this.attempt().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  private async attempt(): Promise<void> {
    const text = this.pending;
    if (text === null) return;
    this.waitingSince = null;
    this.enter({ kind: "saving" });
    try {
      this.accepted(text, await this.save(this.etag, text));
    } catch (error) {
      this.failed(error);
    }
  }

  private accepted(text: ReportText, report: Report): void {
    this.report = report;
    this.etag = report.etag;
    this.failures = 0;
    this.onSaved(report);
    if (this.pending === text) this.pending = null;
    this.enter(this.pending === null ? { kind: "saved", at: Date.now() } : { kind: "waiting" });
    if (this.pending !== null) this.schedule(this.soon());
  }

  private failed(error: unknown): void {
    if (error instanceof Problem && error.status === 412) this.enter({ kind: "conflict" });
    else if (error instanceof Problem && error.status >= 400 && error.status < 500 && error.status !== 429) this.enter({ kind: "refused", problem: error });
    else if (error instanceof Problem || error instanceof Unreachable) this.retryLater();
    else throw error;
  }

  private retryLater(): void {
    this.enter({ kind: "offline" });
    this.schedule(RETRIES[Math.min(this.failures, RETRIES.length - 1)] ?? 15_000);
    this.failures += 1;
  }

  private enter(state: SaveState): void {
    this.state = state;
    for (const listener of this.listeners) listener();
  }
}
