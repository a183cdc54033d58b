import { afterEach, expect, it, vi } from "vitest";
import { Http, Problem, quoted, Unreachable } from "./http";

function answering(status: number, body: unknown): ReturnType<typeof vi.fn> {
  const fetched = vi.fn(() => Promise.resolve(new Response(body === undefined ? null : JSON.stringify(body), { status })));
  vi.stubGlobal("fetch", fetched);
  return fetched;
}
afterEach(() => {
  vi.unstubAllGlobals();
});

it("sends the CSRF token and the entity tag with an unsafe call, and no token with a safe one", async () => {
  const fetched = answering(200, {});
  const http = new Http();
  http.setToken("t");
  await http.json("/reports/1", { method: "PUT", body: { findings: "" }, ifMatch: "abc-2" });
  await http.json("/worklist");
  const [[path, unsafe], [, safe]] = fetched.mock.calls as [[string, { headers: Headers }], [string, { headers: Headers }]];
  expect(path).toBe("/api/v1/reports/1");
  expect([unsafe.headers.get("X-CSRF-Token"), unsafe.headers.get("If-Match"), safe.headers.get("X-CSRF-Token")]).toEqual(["t", '"abc-2"', null]);
});

it("a problem's detail and owner reach the reader", async () => {
  answering(409, { title: "Locked", detail: "Dr B has this study.", owner: "Dr B" });
  const problem = await new Http().json("/x").catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(Problem);
  expect(problem).toMatchObject({ status: 409, message: "Dr B has this study.", owner: "Dr B" });
});

it("an answer without a body still says something", async () => {
  answering(502, undefined);
  await expect(new Http().json("/x")).rejects.toThrow("The service answered 502.");
});

it("tells that the session ended, but not for a wrong signing password nor before login", async () => {
  answering(401, {});
  const http = new Http();
  const ended = vi.fn();
  http.onSignedOut(ended);
  await http.send("/auth/me").catch(() => undefined);
  http.setToken("t");
  await http.send("/reports/1/sign", { method: "POST", stepUp: true }).catch(() => undefined);
  expect(ended).not.toHaveBeenCalled();
  await http.send("/worklist").catch(() => undefined);
  expect(ended).toHaveBeenCalledOnce();
});

it("no network is told apart from a refusal", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
  await expect(new Http().send("/x")).rejects.toThrow(Unreachable);
});

it("quotes an entity tag once", () => {
  expect(["a", '"a"', 'W/"a"'].map(quoted)).toEqual(['"a"', '"a"', 'W/"a"']);
});
