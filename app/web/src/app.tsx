import { QueryClientProvider, type QueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from "react";
import type { Client } from "./api/client";
import { Problem } from "./api/http";
import type { Identity } from "./api/types";
import { ServicesContext } from "./app_context";
import { Broken } from "./broken";
import { usePlace } from "./place";
import { Desk } from "./report/desk";
import { useIdleLogout } from "./session/idle";
import { Login } from "./session/login";
import { useLiveStudies } from "./session/live";
import { useTheme, type Theme } from "./session/theme";
import { TopBar } from "./session/top_bar";
import { Worklist } from "./worklist/worklist";

const StudyView = lazy(() => import("./study/study_view"));

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
        <Room reader={session.reader} theme={theme} onLogout={logout} />
      </ServicesContext>
    </QueryClientProvider>
  );
}

interface RoomProps {
  reader: Identity;
  theme: readonly [Theme, (theme: Theme) => void];
  onLogout: (notice: string | null) => Promise<void>;
}

function Room({ reader, theme, onLogout }: RoomProps) {
  const { study, last, openStudy, leaveStudy } = usePlace();
  const live = useLiveStudies();
  useIdleLogout(() => void onLogout(IDLE));
  return (
    <div className="room">
      <TopBar reader={reader} live={live} theme={theme} onWorklist={study === null ? null : leaveStudy} onLogout={() => void onLogout(null)} />
      <Broken key={study ?? "worklist"}>
        {study === null ? (
          <Worklist last={last} onOpen={openStudy} />
        ) : (
          <Suspense fallback={<p className="waiting" role="status">Opening the study…</p>}>
            <StudyView key={study} uid={study} />
          </Suspense>
        )}
      </Broken>
    </div>
  );
}
