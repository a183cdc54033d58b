/** What the microphone does: nothing may listen without the page saying so. */
export type Listening = { kind: "off" } | { kind: "starting" } | { kind: "listening" } | { kind: "failed"; why: string };

/**
 * Where dictated words come from: the browser, or a site's own speech service behind the same door.
 * It hands on finished text only, in the order it was spoken, and keeps no sound.
 */
export interface DictationSource {
  /** Begins to listen. May be called again after it stopped or failed. */
  start: (heard: { onText: (text: string) => void; onState: (state: Listening) => void }) => void;
  /** Ends it: no text comes after this, and the microphone is given back. */
  stop: () => void;
}

export const SILENT: Listening = { kind: "off" };

/** A source with its state, for useSyncExternalStore. Words reach `onText` only between `start` and `stop`. */
export class Dictation {
  private state: Listening = SILENT;
  private round = 0;
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly source: DictationSource,
    private readonly onText: (text: string) => void,
  ) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): Listening => this.state;

  toggle(): void {
    if (this.state.kind === "off" || this.state.kind === "failed") this.start();
    else this.stop();
  }

  stop(): void {
    this.round += 1;
    if (this.state.kind === "starting" || this.state.kind === "listening") this.source.stop();
    this.enter(SILENT);
  }

  private start(): void {
    this.round += 1;
    const mine = this.round;
    this.enter({ kind: "starting" });
    this.source.start({
      onText: (text) => {
        if (mine === this.round && text.trim() !== "") this.onText(text.trim());
      },
      onState: (state) => {
        if (mine === this.round) this.enter(state);
      },
    });
  }

  private enter(state: Listening): void {
    this.state = state;
    for (const listener of this.listeners) listener();
  }
}
