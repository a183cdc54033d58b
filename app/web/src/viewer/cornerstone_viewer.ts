import { Enums, getShouldUseCPURendering, type Types } from "@cornerstonejs/core";
import { leaseEngine, type Lease } from "./cornerstone_engine";
import { offer, withdraw } from "./cornerstone_images";
import type { Frame } from "./frame";
import { levelFor, pyramid, type Level } from "./pyramid";
import { scaleOf, toImage, turned, type Point, type Size, type View } from "./view";
import type { ImageViewer, Listener } from "./viewer";

/** Height over the image of the camera that WebGL draws with; any will do, the projection is parallel. */
const CAMERA_HEIGHT = 1000;

interface Loaded {
  frame: Frame;
  levels: readonly Level[];
  imageIds: string[];
}

let count = 0;

/** Draws with cornerstone3D: by WebGL where the browser has it, else by its CPU rendering. */
export class CornerstoneViewer implements ImageViewer {
  private readonly lease: Lease;
  private readonly viewport: Types.IStackViewport;
  private readonly byCpu: boolean;
  private readonly probe = document.createElement("canvas");
  private loaded: Loaded | null = null;
  private wanted: View | null = null;
  /** The view that the next drawing shows; null while the level that it needs is not in place. */
  private placed: View | null = null;
  private level = -1;
  private closed = false;

  constructor(
    private readonly element: HTMLDivElement,
    private readonly listener: Listener,
  ) {
    this.lease = leaseEngine(this.onContextLost);
    this.byCpu = getShouldUseCPURendering();
    count += 1;
    const viewportId = `pane-${count}`;
    this.lease.engine.enableElement({ viewportId, element, type: Enums.ViewportType.STACK });
    this.viewport = this.lease.engine.getViewport<Types.IStackViewport>(viewportId);
    this.canvas.classList.add("film");
    this.canvas.addEventListener("contextlost", this.onContextLost);
    element.addEventListener(Enums.Events.IMAGE_RENDERED, this.onRendered);
  }

  load(frame: Frame): Promise<void> {
    this.loaded = { frame, levels: pyramid(frame), imageIds: offer(frame) };
    return Promise.resolve();
  }

  show(view: View): void {
    this.wanted = view;
    if (this.loaded === null || this.closed || this.box.width === 0 || this.box.height === 0) return;
    this.fitCanvas();
    const { frame, levels, imageIds } = this.loaded;
    const level = levelFor(levels, scaleOf(frame, this.box, view) * devicePixelRatio);
    if (level === this.level) {
      if (this.placed !== null) this.place(view);
      return;
    }
    this.level = level;
    this.placed = null;
    this.viewport.setStack([imageIds[level] ?? ""]).then(
      () => { if (this.level === level && this.wanted !== null && !this.closed) this.place(this.wanted); },
      (error: unknown) => { this.listener.onLost(error instanceof Error ? error.message : String(error)); },
    );
  }

  sample(columns: number, rows: number): Uint8Array {
    [this.probe.width, this.probe.height] = [columns, rows];
    const context = this.probe.getContext("2d", { alpha: false, willReadFrequently: true });
    if (context === null || this.canvas.width === 0 || this.canvas.height === 0) return new Uint8Array(columns * rows);
    context.imageSmoothingEnabled = false;
    context.drawImage(this.canvas, 0, 0, columns, rows);
    const { data } = context.getImageData(0, 0, columns, rows);
    return Uint8Array.from({ length: columns * rows }, (_, index) => data[index * 4] ?? 0);
  }

  dispose(): void {
    if (this.closed) return;
    this.closed = true;
    this.element.removeEventListener(Enums.Events.IMAGE_RENDERED, this.onRendered);
    this.canvas.removeEventListener("contextlost", this.onContextLost);
    this.lease.engine.disableElement(this.viewport.id);
    this.lease.release();
    withdraw(this.loaded?.imageIds ?? []);
    this.loaded = null;
    this.element.replaceChildren();
  }

  private get canvas(): HTMLCanvasElement {
    return this.viewport.canvas;
  }

  private get box(): Size {
    return { width: this.element.clientWidth, height: this.element.clientHeight };
  }

  private readonly onContextLost = () => {
    if (!this.closed) this.listener.onLost("The browser lost its drawing surface.");
  };

  private readonly onRendered = () => {
    if (this.placed !== null) this.listener.onDrawn(this.placed);
  };

  private fitCanvas(): void {
    const width = Math.round(this.box.width * devicePixelRatio);
    const height = Math.round(this.box.height * devicePixelRatio);
    if (this.canvas.width === width && this.canvas.height === height) return;
    if (this.byCpu) [this.canvas.width, this.canvas.height] = [width, height];
    else this.lease.engine.resize(false, true);
  }

  private place(view: View): void {
    if (this.loaded === null) return;
    const lower = view.window.center - 0.5 - (view.window.width - 1) / 2;
    const upper = lower + Math.max(view.window.width - 1, 1e-3);
    this.viewport.setProperties({ voiRange: { lower, upper }, invert: view.invert }, true);
    if (this.byCpu) this.placeByCpu(this.loaded, view);
    else this.placeCamera(this.loaded.frame, view);
    this.placed = view;
    this.viewport.render();
  }

  /** The world is the image's plane, x in columns, y downwards in units of a column, 0 in the middle of the first pixel. */
  private placeCamera(frame: Frame, view: View): void {
    const { box } = this;
    const middle = toImage({ x: box.width / 2, y: box.height / 2 }, frame, box, view);
    const [x, y] = [middle.x - 0.5, (middle.y - 0.5) * frame.aspect];
    const up = turned({ x: 0, y: -1 }, -view.turns);
    // a mirrored image is the plane seen from behind
    const side = view.mirrored ? 1 : -1;
    this.viewport.setCamera({
      focalPoint: [x, y, 0],
      position: [x, y, side * CAMERA_HEIGHT],
      viewPlaneNormal: [0, 0, side],
      viewUp: [view.mirrored ? -up.x : up.x, up.y, 0],
      parallelScale: box.height / 2 / scaleOf(frame, box, view),
    });
  }

  /**
   * Cornerstone's CPU viewport is drawn as centre · turn · scale · shift · mirror (calculateTransform.js), with the
   * shift in turned pixels of the level. Its camera is not used: it forgets the screen's pixel density.
   */
  private placeByCpu({ frame, levels }: Loaded, view: View): void {
    const level = levels[this.level];
    const cpu = (this.viewport as unknown as { _cpuFallbackEnabledElement: CpuElement })._cpuFallbackEnabledElement;
    if (level === undefined) return;
    const covers = 2 ** this.level;
    const scale = scaleOf(frame, this.box, view) * devicePixelRatio * covers;
    const pan = turned({ x: view.pan.x * devicePixelRatio, y: view.pan.y * devicePixelRatio }, -view.turns);
    // a level of an odd frame reaches half a pixel further than the frame
    const beyond = { x: (level.columns - frame.columns / covers) / 2, y: (level.rows - frame.rows / covers) / 2 };
    Object.assign(cpu.viewport, {
      scale: [scale, scale * frame.aspect],
      rotation: (view.turns % 4) * 90,
      hflip: view.mirrored,
      vflip: false,
      translation: turned({ x: pan.x / scale + (view.mirrored ? -beyond.x : beyond.x), y: pan.y / scale / frame.aspect + beyond.y }, view.turns),
    });
    this.viewport.setCamera({});
  }
}

interface CpuElement {
  viewport: { scale: [number, number]; rotation: number; hflip: boolean; vflip: boolean; translation: Point };
}
