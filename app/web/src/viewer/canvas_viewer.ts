import type { Frame } from "../api/types";
import { levelFor, pyramid, type Level } from "./pyramid";
import { placement, type Rect, type View } from "./view";
import type { ImageViewer } from "./viewer";
import { displayTable } from "./window_level";

/** Draws on a 2D canvas: value table, then the browser's own scaling. No GPU needed. */
export class CanvasViewer implements ImageViewer {
  private readonly screen: CanvasRenderingContext2D;
  private readonly film: CanvasRenderingContext2D;
  private levels: Level[] = [];
  private frame: Frame | null = null;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly onLost: () => void,
  ) {
    this.screen = context(canvas);
    this.film = context(document.createElement("canvas"));
    canvas.addEventListener("contextlost", this.onLost);
  }

  load(frame: Frame): void {
    this.frame = frame;
    this.levels = pyramid(frame);
  }

  draw(view: View): void {
    const { canvas, screen, frame } = this;
    screen.fillStyle = "#000";
    screen.fillRect(0, 0, canvas.width, canvas.height);
    if (frame === null) return;
    const place = placement(frame, canvas, view);
    const level = this.levels[levelFor(this.levels, place.width / frame.columns)];
    if (level === undefined) return;
    const part = visiblePart(place, canvas, level);
    if (part.width <= 0 || part.height <= 0) return;
    this.develop(level, part, displayTable(view.window, view.invert));
    const [sx, sy] = [place.width / level.columns, place.height / level.rows];
    screen.imageSmoothingEnabled = true;
    screen.imageSmoothingQuality = "medium";
    screen.drawImage(
      this.film.canvas, 0, 0, part.width, part.height,
      place.x + part.x * sx, place.y + part.y * sy, part.width * sx, part.height * sy,
    );
  }

  dispose(): void {
    this.canvas.removeEventListener("contextlost", this.onLost);
    this.film.canvas.width = 0;
    this.levels = [];
    this.frame = null;
  }

  /** Puts the part of a level that is on the screen through the table, onto the hidden film. */
  private develop(level: Level, part: Rect, table: Uint32Array): void {
    const film = this.film.canvas;
    if (film.width < part.width || film.height < part.height) [film.width, film.height] = [part.width, part.height];
    const image = this.film.createImageData(part.width, part.height);
    const pixels = new Uint32Array(image.data.buffer);
    for (let row = 0, to = 0; row < part.height; row += 1) {
      let from = (part.y + row) * level.columns + part.x;
      for (const end = from + part.width; from < end; from += 1, to += 1) pixels[to] = table[level.values[from] ?? 0] ?? 0;
    }
    this.film.putImageData(image, 0, 0);
  }
}

/** The rectangle of level pixels that falls on the canvas, one pixel wider so that smoothing has neighbours. */
export function visiblePart(place: Rect, canvas: { width: number; height: number }, level: { rows: number; columns: number }): Rect {
  const across = span(place.x, place.width, canvas.width, level.columns);
  const down = span(place.y, place.height, canvas.height, level.rows);
  return { x: across.start, width: across.length, y: down.start, height: down.length };
}

function span(offset: number, length: number, limit: number, pixels: number): { start: number; length: number } {
  const per = pixels / length;
  const start = Math.max(0, Math.floor(-offset * per) - 1);
  const end = Math.min(pixels, Math.ceil((limit - offset) * per) + 1);
  return { start, length: end - start };
}

function context(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const found = canvas.getContext("2d", { alpha: false });
  if (found === null) throw new Error("This browser gave no drawing surface for the image.");
  return found;
}
