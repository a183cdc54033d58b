import { Enums, eventTarget, getConfiguration, isCornerstoneInitialized, RenderingEngine, setConfiguration, setUseCPURendering } from "@cornerstonejs/core";
import { registerImages } from "./cornerstone_images";

/** One engine for all panes, for as long as one is open; after a loss the next pane gets a new one. */
export interface Lease {
  engine: RenderingEngine;
  release: () => void;
}

interface Shared {
  engine: RenderingEngine;
  users: number;
}

let shared: Shared | null = null;
let count = 0;

/** onLost: the engine's drawing surface died. */
export function leaseEngine(onLost: () => void): Lease {
  const mine = shared ?? started();
  shared = mine;
  mine.users += 1;
  const lost = (event: Event) => {
    if ((event as CustomEvent<{ renderingEngineId: string }>).detail.renderingEngineId !== mine.engine.id) return;
    if (shared === mine) shared = null;
    onLost();
  };
  eventTarget.addEventListener(Enums.Events.WEBGL_CONTEXT_LOST, lost);
  const release = () => {
    eventTarget.removeEventListener(Enums.Events.WEBGL_CONTEXT_LOST, lost);
    mine.users -= 1;
    if (mine.users > 0) return;
    if (shared === mine) shared = null;
    mine.engine.destroy();
  };
  return { engine: mine.engine, release };
}

function started(): Shared {
  const isNew = !isCornerstoneInitialized();
  // Its own init() keeps what it finds in localStorage; the choice is made here instead, and again for each engine.
  setUseCPURendering(!hasWebGl(), false);
  if (isNew) {
    const present = getConfiguration();
    setConfiguration({ ...present, rendering: { ...present.rendering, webGlContextCount: 1 } });
    registerImages();
  }
  count += 1;
  return { engine: new RenderingEngine(`light-box-${count}`), users: 0 };
}

function hasWebGl(): boolean {
  const probe = document.createElement("canvas").getContext("webgl2");
  probe?.getExtension("WEBGL_lose_context")?.loseContext();
  return probe !== null;
}
