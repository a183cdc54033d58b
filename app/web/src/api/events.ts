export interface StudyEvent {
  study_instance_uid: string;
  state: string;
  revision: number;
}

export type Liveness = "live" | "polling";

/** How long the stream may stay silent about its connection before the page asks by itself, in ms. */
const RECONNECT = 15_000;
const POLL = 10_000;

/**
 * Study changes as the service announces them; `onChange(null)` means "anything may have changed".
 *
 * While the stream is down the page polls every 10 s and tries the stream again every 15 s: an EventSource
 * that was answered with an error status never reconnects by itself (WHATWG HTML 9.2.3).
 * Returns the function that ends it.
 */
export function watchStudies(onChange: (event: StudyEvent | null) => void, onLiveness: (state: Liveness) => void): () => void {
  let source: EventSource | null = null;
  let lost = false;
  let poll: number | undefined;
  let retry: number | undefined;

  const connected = () => {
    window.clearInterval(poll);
    poll = undefined;
    onLiveness("live");
    // What happened while the stream was down was not announced to us.
    if (lost) onChange(null);
    lost = false;
  };

  const disconnected = () => {
    lost = true;
    onLiveness("polling");
    poll ??= window.setInterval(() => { onChange(null); }, POLL);
    if (source?.readyState !== EventSource.CLOSED) return;
    window.clearTimeout(retry);
    retry = window.setTimeout(open, RECONNECT);
  };

  function open() {
    source?.close();
    source = new EventSource("/api/v1/events");
    source.addEventListener("open", connected);
    source.addEventListener("error", disconnected);
    source.addEventListener("study", (message: MessageEvent<string>) => { onChange(JSON.parse(message.data) as StudyEvent); });
  }

  open();
  return () => {
    window.clearInterval(poll);
    window.clearTimeout(retry);
    source?.close();
  };
}
