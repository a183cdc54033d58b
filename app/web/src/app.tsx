import { QueryClientProvider, type QueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useCallback, useEffect, useMemo, useState, type ComponentType, type ReactNode } from "react";
import type { Client } from "./api/client";
import { Problem } from "./api/http";
import type { Identity } from "./api/types";
import { ServicesContext } from "./app_context";
import { Broken } from "./broken";
import type { Changes } from "./keys/key_map";
import { KeysContext } from "./keys/keys_context";
import { usePlace } from "./place";
import { pagesFor, type PageName, type PartProps } from "./pages";
import { Desk } from "./report/desk";
import { useIdleLogout } from "./session/idle";
import { Login } from "./session/login";
import { LiveStudies } from "./session/live";
import { useTheme, type Theme } from "./session/theme";
import { TopBar } from "./session/top_bar";
import { FIRST_LIST } from "./worklist/saved";
import { Worklist } from "./worklist/worklist";

const StudyView = lazy(() => import("./study/study_view"));
const PAGE_PARTS: Record<Exclude<PageName, "worklist">, ComponentType<PartProps>> = {
  oversight: lazy(() => import("./oversight/page")),
  administration: lazy(() => import("./administration/page")),
  audit: lazy(() => import("./audit/page")),
};

type Session = { kind: "unknown" } | { kind: "out"; notice: string | null } | { kind: "in"; reader: Identity };

const ENDED = "The session has ended. Log in again: text that was not saved yet is still here for the same reader.";
const IDLE = "Logged out after 15 minutes without a key or a movement. Saved text is on the server.";

/** Who is logged in, and nothing of any patient on the screen while nobody is. */
export function App({ client, queries }: { client: Client; queries: QueryClient }) {
  const theme = useTheme();
  const [session, setSession] = useState<Session>({ kind: "unknown" });
  const [lastReader, setLastReader] = useState<string | null>(null);
  const desk = useMemo(() => new Desk(client, (report) => queries.setQueryData(["report", report.id, report.etag], report)), [client, queries]);

  const enter = useCallback((reader: Identity) => {
    if (reader.name !== lastReader) desk.clear();
    setLastReader(reader.name);
    setSession({ kind: "in", reader });
  }, [desk, lastReader]);

  const leave = useCallback((notice: string | null) => {
    queries.clear();
    setSession({ kind: "out", notice });
  }, [queries]);

  useEffect(() => {
    client.http.onSignedOut(() => {
      client.http.setToken(null);
      leave(ENDED);
    });
  }, [client, leave]);

  useEffect(() => {
    client.me().then(enter, (error: unknown) => { leave(error instanceof Problem ? null : String(error)); });
    // Asked once, when the page opens: afterwards `enter` changes with the reader.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [client]);

  const logout = useCallback(async (notice: string | null) => {
    const saved = await desk.flush();
    await client.logout().catch(() => undefined);
    if (saved) desk.clear();
    leave(saved ? notice : ENDED);
  }, [client, desk, leave]);

  if (session.kind === "unknown") return <p className="waiting" role="status">Opening…</p>;
  if (session.kind === "out") return <Login client={client} notice={session.notice} onIn={enter} />;
  return (
    <QueryClientProvider client={queries}>
      <ServicesContext value={{ client, desk, reader: session.reader }}>
        <Keyed reader={session.reader}>
          <Room reader={session.reader} theme={theme} onLogout={logout} />
        </Keyed>
      </ServicesContext>
    </QueryClientProvider>
  );
}

/** With the keys that the reader has changed, as they came with the login. */
function Keyed({ reader, children }: { reader: Identity; children: ReactNode }) {
  const [changes, onChanges] = useState<Changes>(reader.keys);
  return <KeysContext value={useMemo(() => ({ changes, onChanges }), [changes])}>{children}</KeysContext>;
}

interface RoomProps {
  reader: Identity;
  theme: readonly [Theme, (theme: Theme) => void];
  onLogout: (notice: string | null) => Promise<void>;
}

function Room({ reader, theme, onLogout }: RoomProps) {
  const pages = useMemo(() => pagesFor(reader), [reader]);
  const { page, part, study, last, openStudy, openPage, openPart } = usePlace(pages[0] ?? "worklist");
  // Here, where it outlives the worklist and ends with the session; a search may name a patient, so it is kept nowhere else.
  const [list, setList] = useState(FIRST_LIST);
  const worklist = <Worklist list={list} onList={setList} last={last} onOpen={openStudy} />;
  useIdleLogout(() => void onLogout(IDLE));
  return (
    <div className="room">
      <TopBar reader={reader} theme={theme} pages={pages} here={study === null ? page : null} onPage={openPage} onLogout={() => void onLogout(null)}>
        {pages.includes("worklist") && <LiveStudies />}
      </TopBar>
      <Broken key={study ?? page}>
        <Suspense fallback={<p className="waiting" role="status">Opening…</p>}>
          {study === null ? <Page name={page} allowed={pages.includes(page)} worklist={worklist} part={part} onPart={openPart} /> : <StudyView key={study} uid={study} onOpen={openStudy} />}
        </Suspense>
      </Broken>
    </div>
  );
}

function Page({ name, allowed, worklist, part, onPart }: PartProps & { name: PageName; allowed: boolean; worklist: ReactNode }) {
  if (!allowed) return <p className="empty">Nothing on this page is for your roles. An administrator gives roles.</p>;
  if (name === "worklist") return worklist;
  const Part = PAGE_PARTS[name];
  return <Part part={part} onPart={onPart} />;
}
