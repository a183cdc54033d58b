import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useId, useState, type ReactNode } from "react";
import type { StudyImage } from "../api/types";
import { useServices } from "../app_context";
import { FrameView } from "../viewer/frame_view";
import { caption as nameOf } from "./image_panes";

interface Props {
  heading: string;
  caption: string;
  image: StudyImage | null;
  choices: readonly StudyImage[];
  onChoose: (sopInstanceUid: string) => void;
  onShown: (sopInstanceUid: string, shown: boolean) => void;
  missing: ReactNode;
}

/** One image with what it is and when it was taken; anything that keeps it from being shown is said over black. */
export function Pane({ heading, caption, image, choices, onChoose, onShown, missing }: Props) {
  const title = useId();
  return (
    <section className="pane" aria-labelledby={title}>
      <header>
        <h2 id={title}>{heading}</h2>
        <span className="caption">{caption}</span>
        {choices.length > 1 && image !== null && (
          <label>
            <span className="unseen">{`${heading} image`}</span>
            <select value={image.sop_instance_uid} onChange={(event) => { onChoose(event.target.value); }}>
              {choices.map((choice) => <option key={choice.sop_instance_uid} value={choice.sop_instance_uid}>{nameOf(choice)}</option>)}
            </select>
          </label>
        )}
      </header>
      {image === null ? (
        <div className="no-image">{missing}</div>
      ) : (
        <Film key={image.sop_instance_uid} image={image} label={`${heading} radiograph, ${caption}`} onShown={onShown} />
      )}
    </section>
  );
}

function Film({ image, label, onShown }: { image: StudyImage; label: string; onShown: Props["onShown"] }) {
  const { client } = useServices();
  const [lost, setLost] = useState(false);
  const onLost = useCallback(() => { setLost(true); }, []);
  const frame = useQuery({
    queryKey: ["frame", image.display_url],
    queryFn: ({ signal }) => client.frame(image.display_url, signal),
    // the pixels of a stored instance never change
    staleTime: Infinity,
    gcTime: 120_000,
  });
  const failed = frame.isError || lost;
  const { sop_instance_uid: sop } = image;
  useEffect(() => {
    if (failed || frame.isSuccess) onShown(sop, !failed);
  }, [failed, frame.isSuccess, onShown, sop]);

  if (failed) return <Unshown why={lost ? "The browser lost its drawing surface." : (frame.error?.message ?? "")} onRetry={() => { setLost(false); void frame.refetch(); }} />;
  if (frame.data === undefined) return <div className="no-image" role="status"><p>Loading the image…</p></div>;
  return <FrameView frame={frame.data} label={label} onLost={onLost} />;
}

function Unshown({ why, onRetry }: { why: string; onRetry: () => void }) {
  return (
    <div className="no-image" role="alert">
      <h3>This image cannot be shown</h3>
      <p>{why}</p>
      <p>Do not report from what is missing here: look at it on another system, or try again.</p>
      <button type="button" onClick={onRetry}>Try again</button>
    </div>
  );
}
