import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useId, useMemo, useState, type Dispatch, type ReactNode } from "react";
import type { StudyImage } from "../api/types";
import { useServices } from "../app_context";
import { FrameView } from "../viewer/frame_view";
import type { Change, Does, Tool } from "../viewer/pane_keys";
import type { RegionLayer } from "../viewer/regions";
import type { Size } from "../viewer/view";
import { caption as nameOf } from "./captions";
import { frameQuery } from "./frame_query";
import type { Act, Film as Hung, Role } from "./light_box";

interface Props {
  role: Role;
  heading: string;
  /** When the image was taken, and how long before the current one. */
  taken: ReactNode;
  caption: string;
  image: StudyImage | null;
  choices: readonly StudyImage[];
  hung: Hung | undefined;
  tool: Tool;
  regions: RegionLayer | null;
  isActive: boolean;
  /** There is no image in the other pane. */
  isAlone: boolean;
  act: Dispatch<Act>;
  onDo: (does: Does) => void;
  onChoose: (sopInstanceUid: string) => void;
  onShown: (sopInstanceUid: string, shown: boolean) => void;
  missing: ReactNode;
}

/** One image with what it is and when it was taken; anything that keeps it from being shown is said over black. */
export function Pane(props: Props) {
  const { role, heading, taken, caption, image, choices, isActive, isAlone, onChoose, missing } = props;
  const title = useId();
  return (
    <section className={`pane pane-${role} ${isActive && !isAlone ? "pane-active" : ""}`} aria-labelledby={title}>
      <header>
        <h2 id={title}>{heading}</h2>
        {taken}
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
        <Film key={image.sop_instance_uid} {...props} image={image} label={`${heading} radiograph, ${caption}`} />
      )}
    </section>
  );
}

function Film({ role, image, label, hung, tool, regions, isActive, act, onDo, onShown }: Props & { image: StudyImage; label: string }) {
  const { client } = useServices();
  const [lost, setLost] = useState<string | null>(null);
  const frame = useQuery(frameQuery(client, image.display_url));
  const { sop_instance_uid: sop } = image;
  const failed = frame.isError || lost !== null;
  const watch = useMemo(() => ({ onDrawn: () => { onShown(sop, true); }, onLost: setLost }), [onShown, sop]);
  const { data } = frame;
  useEffect(() => { if (failed) onShown(sop, false); }, [failed, onShown, sop]);
  useEffect(() => { if (data !== undefined) act({ kind: "hang", role, frame: data }); }, [act, data, role]);
  const onBox = useCallback((box: Size) => { act({ kind: "size", role, box }); }, [act, role]);
  const onChange = useCallback((change: Change) => { act({ kind: "look", role, change, density: devicePixelRatio }); }, [act, role]);
  const onActive = useCallback(() => { act({ kind: "activate", role }); }, [act, role]);

  if (failed) return <Unshown why={lost ?? frame.error?.message ?? ""} onRetry={() => { setLost(null); void frame.refetch(); }} />;
  if (hung === undefined || hung.frame !== data) return <div className="no-image" role="status"><p>Loading the image…</p></div>;
  const { view, box } = hung;
  return <FrameView frame={data} view={view} box={box} tool={tool} isActive={isActive} label={label} regions={regions} watch={watch} onBox={onBox} onChange={onChange} onDo={onDo} onActive={onActive} />;
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
