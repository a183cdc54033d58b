import type { QueryClient } from "@tanstack/react-query";
import type { Client } from "../api/client";
import { COUNTS, lapsed, patchRows, ROWS } from "./rows";

/** Changes of this time are asked for together, in ms. */
const BREATH = 500;
const LEASE_CHECK = 5_000;
/** Beyond so many changed studies the list is read anew; the service takes no more in one question. */
const MOST = 200;

/** Keeps the rows of the worklist in step, study by study. It asks for nothing while no list is on the screen: each look is audited. */
export class Patches {
  private readonly changed = new Set<string>();
  private readonly leases: number;
  private readonly unsubscribe: () => void;
  private timer = 0;
  private busy = false;

  constructor(private readonly queries: QueryClient, private readonly client: Client) {
    this.leases = window.setInterval(() => { this.checkLeases(); }, LEASE_CHECK);
    this.unsubscribe = queries.getQueryCache().subscribe(({ type }) => {
      if (type === "observerAdded" && this.changed.size > 0) this.schedule();
    });
  }

  /** null: anything may have changed. */
  note(uid: string | null): void {
    if (uid === null) {
      this.changed.clear();
      void this.queries.invalidateQueries({ queryKey: ["worklist"] }, { cancelRefetch: false });
      return;
    }
    this.changed.add(uid);
    this.schedule();
  }

  stop(): void {
    window.clearTimeout(this.timer);
    window.clearInterval(this.leases);
    this.unsubscribe();
  }

  private checkLeases(): void {
    if (this.isShown()) for (const uid of lapsed(this.queries, Date.now())) this.note(uid);
  }

  private schedule(): void {
    if (this.timer === 0) this.timer = window.setTimeout(() => { void this.flush(); }, BREATH);
  }

  private isShown(): boolean {
    return this.queries.getQueryCache().findAll({ queryKey: ROWS, type: "active" }).length > 0;
  }

  private async flush(): Promise<void> {
    this.timer = 0;
    if (this.changed.size === 0 || !this.isShown()) return;
    // a page that is on its way may have been read before the change
    if (this.busy || this.queries.isFetching({ queryKey: ROWS }) > 0) { this.schedule(); return; }
    void this.queries.invalidateQueries({ queryKey: COUNTS });
    if (this.changed.size > MOST) { this.note(null); return; }
    await this.ask();
  }

  private async ask(): Promise<void> {
    const asked = new Set(this.changed);
    this.changed.clear();
    this.busy = true;
    try {
      const { items } = await this.client.worklist({ study: [...asked], limit: MOST });
      patchRows(this.queries, asked, items);
    } catch {
      // the next change, or the stream's return, asks again
      for (const uid of asked) this.changed.add(uid);
    } finally {
      this.busy = false;
    }
  }
}
