import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Problem } from "../api/http";
import type { Oversight, OversightBy } from "../api/types";
import { useServices } from "../app_context";
import "../styles/oversight.css";
import { dayInWords } from "../words/dates";
import { draftFigures, progressOf, type Progress } from "./calls";
import { downloadCsv } from "./csv";
import { DecisionsByFinding, FlagDecisions } from "./decisions";
import { Discrepancies } from "./discrepancies";
import { isSamePeriod, lastDays, USUAL_DAYS, type Period } from "./period";
import { PeriodForm } from "./period_form";
import { TimesToSign } from "./times";
import { headlineOf, inDigits, isWorthTrying, percent } from "./wording";

/** The service's own Retry-After, in ms. */
const PAUSE = 5_000;

/** What became of the drafts, for the lead of the readers. Readers are not told apart, and studies not named. */
export default function OversightPage() {
  const [period, setPeriod] = useState(() => lastDays(USUAL_DAYS, Date.now()));
  const [by, setBy] = useState<OversightBy>("model");
  const figures = useFigures(period, by);
  return (
    <main className="oversight" tabIndex={-1}>
      <h1>Drafts in use</h1>
      <p className="note">
        Drafts are research drafts, not for diagnosis. These figures say what readers did with them before they signed; nobody is named and readers are not told apart.
      </p>
      <PeriodForm first={period} onAsk={setPeriod} />
      <p className="reading" role="status">{figures.isFetching ? readingWords(progressOf(figures.failureReason)) : ""}</p>
      {figures.isFetching && <ReadSoFar progress={progressOf(figures.failureReason)} />}
      {figures.isError && <Refused error={figures.error} onAgain={() => void figures.refetch()} />}
      {figures.isSuccess && <Figures told={figures.data} by={by} onBy={setBy} />}
    </main>
  );
}

/** While another grouping of the same days is read, the one before stays. */
function useFigures(period: Period, by: OversightBy) {
  const { client } = useServices();
  return useQuery({
    queryKey: ["oversight", period, by] as const,
    queryFn: ({ signal }) => draftFigures(client, period, by, signal),
    retry: (failures, error) => progressOf(error) !== null || (failures < 1 && !(error instanceof Problem)),
    retryDelay: PAUSE,
    placeholderData: (before: Oversight | undefined, query) => (query !== undefined && isSamePeriod(query.queryKey[1], period) ? before : undefined),
  });
}

function readingWords(progress: Progress | null): string {
  if (progress === null) return "Reading the figures…";
  return `${inDigits(progress.read)} of ${inDigits(progress.reports)} signed reports have been read. The figures appear when all are; this page goes on asking.`;
}

function ReadSoFar({ progress }: { progress: Progress | null }) {
  return progress && <progress aria-label="Reports read" value={progress.read} max={progress.reports} />;
}

function Refused({ error, onAgain }: { error: Error; onAgain: () => void }) {
  return (
    <div className="problem" role="alert">
      <p>{`${headlineOf(error)} ${error.message}`}</p>
      {isWorthTrying(error) && <button type="button" onClick={onAgain}>Try again</button>}
    </div>
  );
}

function Figures({ told, by, onBy }: { told: Oversight; by: OversightBy; onBy: (by: OversightBy) => void }) {
  const { signed, with_draft, without_draft } = told.reports;
  const days = told.first_day === told.last_day ? dayInWords(told.first_day) : `${dayInWords(told.first_day)} to ${dayInWords(told.last_day)}`;
  if (signed === 0) return <p className="empty">{`No report was signed in these days (${days}). Choose other days.`}</p>;
  return (
    <>
      <section aria-labelledby="reports">
        <div className="reports-head">
          <h2 id="reports">{`Reports signed, ${days}`}</h2>
          <button type="button" onClick={() => { downloadCsv(told); }}>Download as CSV</button>
        </div>
        <dl className="counts">
          <div><dt>Signed</dt><dd>{inDigits(signed)}</dd></div>
          <div><dt>Begun from a draft</dt><dd>{inDigits(with_draft)} <small>{percent(with_draft, signed)}</small></dd></div>
          <div><dt>Written without a draft</dt><dd>{inDigits(without_draft)} <small>{percent(without_draft, signed)}</small></dd></div>
        </dl>
        <p className="meaning">Each report counts once, on the day of its signature. Addenda do not count, nor do reports that were withdrawn or are not signed yet.</p>
      </section>
      <TimesToSign times={told.time_to_sign} />
      <DecisionsByFinding decisions={told.decisions} />
      <FlagDecisions flags={told.flags} />
      <Discrepancies told={told.discrepancy} by={by} onBy={onBy} />
    </>
  );
}
