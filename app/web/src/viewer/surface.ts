import { useEffect, useRef, useState, type RefObject } from "react";
import { CELLS, isFaithful } from "./drawn_check";
import type { Frame } from "./frame";
import type { Size, View } from "./view";
import { openViewer, type ImageViewer } from "./viewer";

/** A picture that does not show by then is said to be missing, in milliseconds. */
const DRAWN_BY = 60_000;
/** Rest after which what stands on the screen is looked at again, in milliseconds. */
const REST = 250;

export interface Watch {
  /** The frame is truly on the screen. */
  onDrawn: () => void;
  /** It is not, or not any more; the words say why. */
  onLost: (why: string) => void;
}

/**
 * Draws the frame into the element and looks at what was really drawn, after the first drawing and after each rest.
 * A picture that is not the frame twice in a row is lost.
 */
export function useSurface(element: RefObject<HTMLDivElement | null>, frame: Frame, view: View, box: Size | null, watch: Watch): void {
  const viewer = useRef<ImageViewer | null>(null);
  const latest = useRef<{ view: View; box: Size | null; check: Check | null }>({ view, box, check: null });

  useEffect(() => {
    const host = element.current;
    if (host === null) return undefined;
    let open = true;
    const check = new Check(frame, watch, () => ({ viewer: viewer.current, box: latest.current.box }));
    latest.current.check = check;
    const begin = async () => {
      const opened = await openViewer(host, { onDrawn: (shown) => { check.drawn(shown); }, onLost: watch.onLost });
      if (!open) {
        opened.dispose();
        return;
      }
      viewer.current = opened;
      await opened.load(frame);
      if (latest.current.box !== null) opened.show(latest.current.view);
    };
    begin().catch((error: unknown) => { watch.onLost(error instanceof Error ? error.message : String(error)); });
    return () => {
      open = false;
      check.stop();
      viewer.current?.dispose();
      viewer.current = null;
    };
  }, [element, frame, watch]);

  useEffect(() => {
    latest.current = { ...latest.current, view, box };
    if (box === null) return;
    latest.current.check?.wait();
    viewer.current?.show(view);
  }, [view, box]);
}

/** Compares what is on the screen with the frame. */
class Check {
  private timer = 0;
  private isDrawn = false;
  private failed = 0;

  constructor(
    private readonly frame: Frame,
    private readonly watch: Watch,
    private readonly now: () => { viewer: ImageViewer | null; box: Size | null },
  ) {
    this.wait();
  }

  /** The view changes: what is on the screen is of no account until it is drawn. */
  wait(): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      // nothing is drawn in a window that nobody sees
      if (document.hidden) this.wait();
      else this.watch.onLost("The image was not drawn in time.");
    }, DRAWN_BY);
  }

  drawn(view: View): void {
    window.clearTimeout(this.timer);
    if (!this.isDrawn && this.look(view)) {
      this.isDrawn = true;
      this.watch.onDrawn();
    }
    this.timer = window.setTimeout(() => { this.again(view); }, REST);
  }

  stop(): void {
    window.clearTimeout(this.timer);
  }

  private again(view: View): void {
    if (this.look(view)) {
      if (!this.isDrawn) this.watch.onDrawn();
      this.isDrawn = true;
      this.failed = 0;
      return;
    }
    this.failed += 1;
    if (this.failed > 1) this.watch.onLost("What the browser has drawn is not the image.");
    else this.timer = window.setTimeout(() => { this.again(view); }, REST);
  }

  private look(view: View): boolean {
    const { viewer, box } = this.now();
    if (viewer === null || box === null) return false;
    return isFaithful(this.frame, view, box, devicePixelRatio, viewer.sample(CELLS, CELLS));
  }
}

/**
 * The size that the element is given inside its stage: whole screen pixels, so that no pixel of the image is drawn on
 * one and a half.
 */
export function useBox(stage: RefObject<HTMLElement | null>, element: RefObject<HTMLElement | null>, onBox: (box: Size) => void): void {
  const [told] = useState(() => ({ width: 0, height: 0 }));
  useEffect(() => {
    const [outer, inner] = [stage.current, element.current];
    if (outer === null || inner === null) return undefined;
    const measure = () => {
      const whole = (side: number) => Math.floor(Math.floor(side * devicePixelRatio) / devicePixelRatio);
      const box = { width: Math.max(1, whole(outer.clientWidth)), height: Math.max(1, whole(outer.clientHeight)) };
      if (box.width === told.width && box.height === told.height) return;
      Object.assign(told, box);
      inner.style.width = `${box.width}px`;
      inner.style.height = `${box.height}px`;
      onBox(box);
    };
    measure();
    const resized = new ResizeObserver(measure);
    resized.observe(outer);
    return () => { resized.disconnect(); };
  }, [stage, element, onBox, told]);
}
