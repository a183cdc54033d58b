/** RFC 9457 problem details, as an Error that can be shown to a person. */
export class Problem extends Error {
  readonly status: number;
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(status: number, fields: Record<string, unknown>) {
    const said = [fields["detail"], fields["title"]].find((part) => typeof part === "string" && part !== "");
    super(typeof said === "string" ? said : `The service answered ${status}.`);
    this.name = "Problem";
    this.status = status;
    this.fields = fields;
  }

  /** Who holds the lock, where the problem names them. */
  get owner(): string | null {
    const owner = this.fields["owner"];
    return typeof owner === "string" ? owner : null;
  }
}

/** The request never got an answer: the network or the service is down. */
export class Unreachable extends Error {
  constructor() {
    super("The service cannot be reached.");
    this.name = "Unreachable";
  }
}

export interface Call {
  method?: "GET" | "POST" | "PUT" | "DELETE";
  body?: unknown;
  ifMatch?: string;
  signal?: AbortSignal;
  /** Lets the request outlive the page, for giving back a lock on leaving. */
  keepalive?: boolean;
  /** The call carries a password of its own, so a 401 is about that and not about the session. */
  stepUp?: boolean;
  priority?: RequestPriority;
}

const PREFIX = "/api/v1";

/**
 * The one door to the service: adds the CSRF token to unsafe calls and turns every refusal into a Problem.
 */
export class Http {
  /** What the service's clock is ahead of this one's, in ms, to the second; by its last answer in JSON, which no cache keeps. */
  ahead = 0;
  private csrf: string | null = null;
  private signedOut: () => void = () => undefined;

  /** Calls `listener` when a session that existed is gone (401). */
  onSignedOut(listener: () => void): void {
    this.signedOut = listener;
  }

  setToken(csrf: string | null): void {
    this.csrf = csrf;
  }

  async json<T>(path: string, call: Call = {}): Promise<T> {
    const response = await this.send(path, call);
    const said = Date.parse(response.headers.get("Date") ?? "");
    if (!Number.isNaN(said)) this.ahead = said - Date.now();
    return response.status === 204 ? (undefined as T) : ((await response.json()) as T);
  }

  /** path: under /api/v1, or an absolute path of this origin as the service's `display_url` is. */
  async send(path: string, call: Call = {}): Promise<Response> {
    const response = await fetch(address(path), this.request(call)).catch((error: unknown) => {
      throw isAbort(error) ? error : new Unreachable();
    });
    if (response.ok) return response;
    if (response.status === 401 && this.csrf !== null && call.stepUp !== true) this.signedOut();
    throw new Problem(response.status, await problemFields(response));
  }

  private request(call: Call): RequestInit {
    const headers = new Headers({ Accept: "application/json, application/octet-stream" });
    if (call.body !== undefined) headers.set("Content-Type", "application/json");
    if (call.ifMatch !== undefined) headers.set("If-Match", quoted(call.ifMatch));
    if (this.csrf !== null && call.method !== undefined && call.method !== "GET") headers.set("X-CSRF-Token", this.csrf);
    return {
      method: call.method ?? "GET",
      headers,
      credentials: "same-origin",
      body: call.body === undefined ? null : JSON.stringify(call.body),
      signal: call.signal ?? null,
      keepalive: call.keepalive ?? false,
      priority: call.priority ?? "auto",
    };
  }
}

/** An entity tag as the header wants it (RFC 9110 8.8.3), whether or not the JSON carried the quotes. */
export function quoted(etag: string): string {
  return /^(W\/)?".*"$/.test(etag) ? etag : `"${etag}"`;
}

function address(path: string): string {
  return path.startsWith(`${PREFIX}/`) ? path : PREFIX + path;
}

async function problemFields(response: Response): Promise<Record<string, unknown>> {
  const body: unknown = await response.json().catch(() => null);
  return typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
