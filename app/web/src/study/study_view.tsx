import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useState } from "react";
import type { Study } from "../api/types";
import { useServices } from "../app_context";
import { ReportPanel } from "../report/report_panel";
import { useViewReceipts } from "../report/view_receipts";
import { preloadViewer } from "../viewer/viewer";
import { EvidenceProvider } from "./evidence_context";
import { IdentityBar } from "./identity_bar";
import { withPrior } from "./hanging";
import { ImagePanes } from "./image_panes";
import { NextStudy } from "./next_study";
import { OtherPrior } from "./other_prior";
import { usePickedPrior } from "./picked_prior";
import { usePrefetch } from "./prefetch";
import { Priors } from "./priors";

/** How often the study is asked for while an earlier one is fetched for the reader, in ms: a job that dies is no change of the study. */
const FETCHING = 10_000;

/** One study: who it is, its images beside the prior's, and the report. */
export default function StudyView({ uid, onOpen }: { uid: string; onOpen: (uid: string) => void }) {
  const { client } = useServices();
  useEffect(preloadViewer, []);
  const study = useQuery({ queryKey: ["study", uid], queryFn: () => client.study(uid), refetchInterval: ({ state }) => (waitsForPrior(state.data) ? FETCHING : false) });

  if (study.isPending) return <p className="waiting" role="status">Opening the study…</p>;
  if (study.isError && study.data === undefined) {
    return <main className="fault" role="alert"><h1>The study could not be opened</h1><p>{study.error.message}</p></main>;
  }
  return <EvidenceProvider readAt={study.dataUpdatedAt}><Opened study={study.data} onOpen={onOpen} /></EvidenceProvider>;
}

function Opened({ study, onOpen }: { study: Study; onOpen: (uid: string) => void }) {
  const [unshown, setUnshown] = useState<ReadonlySet<string>>(new Set());
  const [isDrawn, setDrawn] = useState(false);
  const picked = usePickedPrior(study);
  const isOther = picked.shown !== null && picked.shown !== picked.home;
  const onSeen = useViewReceipts(study);
  // Receipts are of the study and its chosen prior; another prior that the reader has shown to himself needs none.
  const counted = study.images.map((image) => image.sop_instance_uid).join(" ");
  const onShown = useCallback((sop: string, shown: boolean) => {
    if (shown) {
      setDrawn(true);
      if (counted.split(" ").includes(sop)) onSeen(sop);
    }
    setUnshown((before) => {
      if (before.has(sop) === !shown) return before;
      const after = new Set(before);
      if (shown) after.delete(sop);
      else after.add(sop);
      return after;
    });
  }, [counted, onSeen]);
  usePrefetch(study.study_instance_uid, isDrawn);
  const current = study.images.filter(({ role }) => role === "current");
  const imageFault = current.length === 0 || current.some(({ sop_instance_uid }) => unshown.has(sop_instance_uid));

  return (
    <main className="study">
      <div className="study-head">
        <IdentityBar study={study} />
        <NextStudy open={study.study_instance_uid} onOpen={onOpen} />
      </div>
      <div className="desk">
        <section className="images" aria-label="Images">
          <OtherPrior study={study} picked={picked} />
          <ImagePanes study={isOther && picked.shown !== null ? withPrior(study, picked.shown) : study} onShown={onShown} />
          <Priors study={study} picked={picked} />
        </section>
        <ReportPanel study={study} imageFault={imageFault} />
      </div>
    </main>
  );
}

function waitsForPrior(study: Study | undefined): boolean {
  return study?.priors.entries.some(({ fetch }) => fetch === "fetching") ?? false;
}
