import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Problem, Unreachable } from "../api/http";
import type { Report, ReportText } from "../api/types";
import { Autosave, NotSaved } from "./autosave";

const REPORT: Report = {
  id: "r", study_instance_uid: "1.2", draft_id: null, reading_mode: "draft-first", withheld: false, status: "preliminary", etag: "1", findings: "", impression: "", sentences: [], author: "r", signature: null, addenda: [],
  critical_results: [], critical_findings: [], created_at: "2026-01-01T00:00:00Z", updated_at: "2026-01-01T00:00:00Z",
};
const text = (findings: string): ReportText => ({ findings, impression: "", sentences: [] });

/** A service that keeps one report and can be told to fail. */
class Service {
  report = REPORT;
  faults: Error[] = [];
  calls: string[] = [];
  /** ms until it answers. */
  delay = 0;

  readonly save = async (etag: string, body: ReportText): Promise<Report> => {
    this.calls.push(`${etag}:${body.findings}`);
    if (this.delay > 0) await new Promise((resolve) => { setTimeout(resolve, this.delay); });
    return this.answer(etag, body);
  };

  private answer(etag: string, body: ReportText): Promise<Report> {
    const fault = this.faults.shift();
    if (fault !== undefined) return Promise.reject(fault);
    if (etag !== this.report.etag) return Promise.reject(new Problem(412, { detail: "changed" }));
    this.report = { ...this.report, ...body, etag: String(Number(etag) + 1) };
    return Promise.resolve(this.report);
  }
}

let service: Service;
let saver: Autosave;

beforeEach(() => {
  vi.useFakeTimers();
  service = new Service();
  saver = new Autosave(REPORT, service.save);
});
afterEach(() => {
  vi.useRealTimers();
});

describe("when it saves", () => {
  it("2 s after the last key", async () => {
    saver.change(text("a"));
    await vi.advanceTimersByTimeAsync(1_900);
    saver.change(text("ab"));
    await vi.advanceTimersByTimeAsync(1_900);
    expect(service.calls).toEqual([]);
    await vi.advanceTimersByTimeAsync(200);
    expect(service.calls).toEqual(["1:ab"]);
    expect(saver.snapshot().kind).toBe("saved");
  });

  it("4 s after the first key at the latest, however long the typing goes on", async () => {
    for (let key = 0; key < 60; key += 1) {
      saver.change(text(`${key}`));
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(service.calls).toEqual(["1:39"]);
  });

  it("4 s after a key that fell into a slow save, though no other follows", async () => {
    service.delay = 3_000;
    saver.change(text("a"));
    await vi.advanceTimersByTimeAsync(2_100);
    saver.change(text("ab"));
    await vi.advanceTimersByTimeAsync(3_800);
    expect(service.calls).toEqual(["1:a"]);
    await vi.advanceTimersByTimeAsync(200);
    expect(service.calls).toEqual(["1:a", "2:ab"]);
  });

  it("one at a time, each with the tag of the one before", async () => {
    saver.change(text("a"));
    const first = saver.flush();
    saver.change(text("b"));
    await first.catch(() => undefined);
    await saver.flush();
    expect(service.calls).toEqual(["1:a", "2:b"]);
    expect(saver.unsaved).toBeNull();
  });
});

describe("when the service does not take it", () => {
  it("keeps trying by itself while the service is away", async () => {
    service.faults = [new Unreachable(), new Problem(503, {})];
    saver.change(text("a"));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(saver.snapshot().kind).toBe("offline");
    saver.change(text("ab"));
    await vi.advanceTimersByTimeAsync(2_000 + 4_000);
    expect(service.report.findings).toBe("ab");
    expect(saver.snapshot().kind).toBe("saved");
  });

  it("a change elsewhere is a conflict, and both texts are there", async () => {
    service.report = { ...REPORT, findings: "theirs", etag: "9" };
    saver.change(text("mine"));
    await expect(saver.flush()).rejects.toThrow(NotSaved);
    expect(saver.snapshot().kind).toBe("conflict");
    expect(saver.unsaved?.findings).toBe("mine");
    expect(service.report.findings).toBe("theirs");
  });

  it("keep mine: the text goes over theirs, with what was typed meanwhile", async () => {
    service.report = { ...REPORT, findings: "theirs", etag: "9" };
    saver.change(text("mine"));
    await saver.flush().catch(() => undefined);
    saver.change(text("mine and more"));
    saver.rebase(service.report);
    await vi.advanceTimersByTimeAsync(0);
    expect(service.report.findings).toBe("mine and more");
  });

  it("take theirs: nothing of mine is sent", async () => {
    service.report = { ...REPORT, findings: "theirs", etag: "9" };
    saver.change(text("mine"));
    await saver.flush().catch(() => undefined);
    saver.adopt(service.report);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([service.report.findings, saver.unsaved, saver.saved.findings]).toEqual(["theirs", null, "theirs"]);
  });

  it("a lock of somebody else stops the saving, not the text; retry goes on", async () => {
    service.faults = [new Problem(409, { detail: "Dr B has it.", owner: "Dr B" })];
    saver.change(text("a"));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(saver.snapshot().kind).toBe("refused");
    saver.change(text("ab"));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(service.calls).toEqual(["1:a"]);
    saver.retry();
    await vi.advanceTimersByTimeAsync(0);
    expect(service.report.findings).toBe("ab");
  });
});
