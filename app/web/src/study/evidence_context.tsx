import { useQueryClient } from "@tanstack/react-query";
import { createContext, useCallback, useContext, useEffect, useLayoutEffect, useMemo, useReducer, type Dispatch, type ReactNode } from "react";
import type { Draft, StudyImage } from "../api/types";
import { focusOn } from "../report/panel_keys";
import type { RegionLayer } from "../viewer/regions";
import { evidenceAfter, NO_EVIDENCE, regionsOn, regionWords, type EvidenceAct, type EvidenceState } from "./evidence";
import { useStudyKey } from "./study_keys";

interface Evidence extends EvidenceState {
  act: Dispatch<EvidenceAct>;
}

const EvidenceContext = createContext<Evidence>({ ...NO_EVIDENCE, act: () => undefined });

export function useEvidence(): Evidence {
  return useContext(EvidenceContext);
}

/**
 * Evidence regions of the open study: what the report's side and the images' side both know of them. Off until asked for.
 * readAt: when the study was read last.
 */
export function EvidenceProvider({ readAt, children }: { readAt: number; children: ReactNode }) {
  const [evidence, act] = useReducer(evidenceAfter, NO_EVIDENCE);
  const shared = useMemo(() => ({ ...evidence, act }), [evidence]);
  useLateRegions(evidence, readAt);
  useStudyKey("b", (from) => {
    leaveRegion(from);
    act({ kind: "toggle" });
  });
  return <EvidenceContext value={shared}>{children}</EvidenceContext>;
}

/** While the caller is on the page, regions of this draft may be drawn: its sentences are there to be read. */
export function useShownDraft(draft: Draft): void {
  const { act } = useEvidence();
  useLayoutEffect(() => {
    act({ kind: "show", draft });
    return () => { act({ kind: "show", draft: null }); };
  }, [act, draft]);
}

/** The boxes over this image; null where none are asked for. */
export function useRegionLayer(image: StudyImage | null): RegionLayer | null {
  const { draft, on, hovered, focused, wanted, act } = useEvidence();
  const onReached = useCallback(() => { act({ kind: "reached" }); }, [act]);
  if (!on || draft === null || image === null) return null;
  const sop = image.sop_instance_uid;
  return {
    regions: regionsOn(draft, sop),
    words: regionWords(draft, sop),
    pointed: hovered ?? focused,
    wanted,
    onReached,
    onFocus: (number, is) => { act({ kind: "focus", number, is }); },
    onHover: (number, is) => { act({ kind: "hover", number, is }); },
    onChoose: (number) => { document.querySelector<HTMLElement>(`[data-region="${number}"]`)?.focus(); },
  };
}

/** Regions come after the draft, and a change of the study announces them: while they are asked for, the draft is read again then. */
function useLateRegions({ draft, on }: EvidenceState, readAt: number): void {
  const queries = useQueryClient();
  const late = on && draft !== null && draft.evidence === null ? draft.id : null;
  useEffect(() => {
    if (late !== null) void queries.invalidateQueries({ queryKey: ["draft", late] });
  }, [late, queries, readAt]);
}

/** The way to a region goes with the regions: the focus stays on its sentence. */
function leaveRegion(from: Element): void {
  if (from.closest("[data-region]") === null || focusOn(from.closest<HTMLElement>("[data-index]"))) return;
  from.closest<HTMLElement>(".report")?.focus();
}
