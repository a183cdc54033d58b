import { useCallback, useReducer, useRef, useState, type KeyboardEvent } from "react";
import type { Study, StudyImage } from "../api/types";
import { useMeaning } from "../keys/keys_context";
import { actionFor, type Does } from "../viewer/pane_keys";
import { Toolbar } from "../viewer/toolbar";
import { priorsInWords } from "../words/said";
import { caption, priorCaption, Taken } from "./captions";
import { regionOf } from "./evidence";
import { useEvidence, useRegionLayer } from "./evidence_context";
import { hang } from "./hanging";
import { DARK, lightBox, other, type Role } from "./light_box";
import { Pane } from "./pane";

interface Props {
  study: Study;
  /** Whether the image with this SOP Instance UID is truly on the screen. */
  onShown: (sopInstanceUid: string, shown: boolean) => void;
}

/** Current on the left, prior on the right, one toolbar for both; what is missing is said in its place. */
export function ImagePanes({ study, onShown }: Props) {
  const hung = hang(study.images);
  const [chosen, setChosen] = useState<Partial<Record<Role, string>>>({});
  const [box, act] = useReducer(lightBox, DARK);
  const panes = useRef<HTMLDivElement>(null);
  const meaning = useMeaning("image");
  const evidence = useEvidence();
  const [wanted, setWanted] = useState(evidence.wanted);
  const of = (role: Role) => study.images.filter((image) => image.role === role);
  const shown = (role: Role) => of(role).find(({ sop_instance_uid }) => sop_instance_uid === chosen[role]) ?? hung[role];
  const [current, prior] = [shown("current"), shown("prior")];
  const regions = useRegionLayer(current);
  if (wanted !== evidence.wanted) {
    setWanted(evidence.wanted);
    const on = evidence.draft === null || evidence.wanted === null ? null : regionOf(evidence.draft, evidence.wanted.number);
    if (on !== null) setChosen({ ...chosen, current: on.sop_instance_uid });
  }
  const active = shown(box.active) === null ? other(box.active) : box.active;

  const { act: actOnEvidence } = evidence;
  const onDo = useCallback((does: Does) => {
    if (does.kind === "view") act({ kind: "look", role: active, change: does.change, density: devicePixelRatio });
    else if (does.kind === "tool") act(does);
    else if (does.kind === "link") act(does);
    else if (does.kind === "leave") act({ kind: "tool", tool: "window" });
    else if (does.kind === "regions") actOnEvidence({ kind: "toggle" });
    else if (does.kind === "pane") focusOn(panes.current, other(active));
  }, [active, actOnEvidence]);
  const onKeyDown = (event: KeyboardEvent) => {
    const does = isTyping(event.target) || event.defaultPrevented ? undefined : actionFor(meaning(event))?.does;
    if (does === undefined || !["view", "tool", "link", "pane", "regions"].includes(does.kind)) return;
    event.preventDefault();
    onDo(does);
  };
  const common = (role: Role, image: StudyImage | null) => ({
    role,
    image,
    choices: of(role),
    hung: box.films[role],
    tool: box.tool,
    regions: role === "current" ? regions : null,
    isActive: role === active,
    isAlone: current === null || prior === null,
    act,
    onDo,
    onShown,
    onChoose: (sop: string) => { setChosen({ ...chosen, [role]: sop }); },
  });
  const said = priorsInWords(study.priors.outcome);

  return (
    // Keys that work on an image also work from its toolbar.
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions
    <div className="light-box" onKeyDown={onKeyDown}>
      <Toolbar of={active} view={box.films[active]?.view ?? null} tool={box.tool} linked={box.linked} canLink={current !== null && prior !== null} regions={evidence.draft === null ? null : evidence.on} onDo={onDo} />
      <div ref={panes} className="panes">
        <Pane
          {...common("current", current)}
          heading="Current"
          taken={current === null ? null : <Taken image={current} before={null} />}
          caption={current === null ? "" : caption(current)}
          missing={<p>No image of this study can be shown yet.</p>}
        />
        <Pane
          {...common("prior", prior)}
          heading="Prior"
          taken={prior === null ? null : <Taken image={prior} before={study.study_date} />}
          caption={prior === null ? "" : priorCaption(prior, study.study_date)}
          missing={<div className={said.warns ? "warns" : ""}><h3>{said.headline}</h3><p>{said.detail}</p></div>}
        />
      </div>
    </div>
  );
}

function focusOn(panes: HTMLElement | null, role: Role): void {
  panes?.querySelector<HTMLElement>(`.pane-${role} .stage`)?.focus();
}

function isTyping(target: EventTarget): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}
