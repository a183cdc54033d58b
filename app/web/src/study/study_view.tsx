import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useState } from "react";
import type { Study } from "../api/types";
import { useServices } from "../app_context";
import { ReportPanel } from "../report/report_panel";
import { useViewReceipts } from "../report/view_receipts";
import { preloadViewer } from "../viewer/viewer";
import { IdentityBar } from "./identity_bar";
import { ImagePanes } from "./image_panes";
import { usePrefetch } from "./prefetch";
import { Priors } from "./priors";

/** One study: who it is, its images beside the prior's, and the report. */
export default function StudyView({ uid }: { uid: string }) {
  const { client } = useServices();
  useEffect(preloadViewer, []);
  const study = useQuery({ queryKey: ["study", uid], queryFn: () => client.study(uid) });

  if (study.isPending) return <p className="waiting" role="status">Opening the study…</p>;
  if (study.isError && study.data === undefined) {
    return <main className="fault" role="alert"><h1>The study could not be opened</h1><p>{study.error.message}</p></main>;
  }
  return <Opened study={study.data} />;
}

function Opened({ study }: { study: Study }) {
  const [unshown, setUnshown] = useState<ReadonlySet<string>>(new Set());
  const [isDrawn, setDrawn] = useState(false);
  const onSeen = useViewReceipts(study);
  const onShown = useCallback((sop: string, shown: boolean) => {
    if (shown) {
      setDrawn(true);
      onSeen(sop);
    }
    setUnshown((before) => {
      if (before.has(sop) === !shown) return before;
      const after = new Set(before);
      if (shown) after.delete(sop);
      else after.add(sop);
      return after;
    });
  }, [onSeen]);
  usePrefetch(study.study_instance_uid, isDrawn);
  const current = study.images.filter(({ role }) => role === "current");
  const imageFault = current.length === 0 || current.some(({ sop_instance_uid }) => unshown.has(sop_instance_uid));

  return (
    <main className="study">
      <IdentityBar study={study} />
      <div className="desk">
        <section className="images" aria-label="Images">
          <ImagePanes study={study} onShown={onShown} />
          <Priors study={study} />
        </section>
        <ReportPanel study={study} imageFault={imageFault} />
      </div>
    </main>
  );
}
