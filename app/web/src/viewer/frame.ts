/** One display-normalised frame: larger value = brighter, row-major, values 0-65535. */
export interface Frame {
  rows: number;
  columns: number;
  values: Uint16Array;
  /** LINEAR window of PS3.3 C.11.2.1.2 on `values`. */
  window: { center: number; width: number };
  /** Height of a pixel over its width; 1 where the spacing is unknown. */
  aspect: number;
  spacing: Spacing | null;
  /** Patient side at the right and at the lower edge (PS3.3 C.7.6.1.1.1), e.g. L and F; null where the image does not say. */
  orientation: Orientation | null;
}

/** Millimetres between rows and between columns. calibrated: in the patient; else at the detector's plane, where things look larger. */
export interface Spacing {
  row: number;
  column: number;
  calibrated: boolean;
}

export interface Orientation {
  right: string;
  bottom: string;
}

/** The frame cannot be shown; the message says why. */
export class UnreadableFrame extends Error {}

/**
 * Reads the service's display-normalised frame: 16-bit little-endian unsigned, larger = brighter, geometry in headers.
 * Raises UnreadableFrame where bytes and headers disagree, or where every pixel is the same (a blank image must be said).
 */
export async function readFrame(response: Response): Promise<Frame> {
  const header = (name: string) => Number(response.headers.get(name));
  const [rows, columns] = [header("X-Rows"), header("X-Columns")];
  const values = littleEndian(await response.arrayBuffer());
  if (!(rows > 0 && columns > 0) || values.length !== rows * columns) {
    throw new UnreadableFrame(`The image is said to be ${rows} x ${columns} but holds ${values.length} pixels.`);
  }
  if (isBlank(values)) throw new UnreadableFrame("The image is blank: every pixel has the same value.");
  const spacing = spacingOf(response.headers);
  return {
    rows,
    columns,
    values,
    window: windowOf(header, values),
    aspect: spacing === null ? 1 : spacing.row / spacing.column,
    spacing,
    orientation: orientationOf(response.headers.get("X-Patient-Orientation")),
  };
}

/** Lowest and highest value. */
export function range(values: Uint16Array): [number, number] {
  let low = 0xffff;
  let high = 0;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

function littleEndian(buffer: ArrayBuffer): Uint16Array {
  if (buffer.byteLength % 2 === 1) throw new UnreadableFrame("The image ends in the middle of a pixel.");
  const isLittle = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
  if (isLittle) return new Uint16Array(buffer);
  const view = new DataView(buffer);
  return Uint16Array.from({ length: buffer.byteLength / 2 }, (_, index) => view.getUint16(index * 2, true));
}

function isBlank(values: Uint16Array): boolean {
  const first = values[0];
  return values.every((value) => value === first);
}

function windowOf(header: (name: string) => number, values: Uint16Array): Frame["window"] {
  const [center, width] = [header("X-Window-Center"), header("X-Window-Width")];
  if (Number.isFinite(center) && width >= 1) return { center, width };
  const [low, high] = range(values);
  return { center: (low + high + 1) / 2, width: high - low + 1 };
}

/** orientation: "right edge,lower edge" as letters of PS3.3 C.7.6.1.1.1, or missing. */
function orientationOf(orientation: string | null): Orientation | null {
  const [right = "", bottom = ""] = (orientation ?? "").split(/[,\\]/).map((part) => part.trim());
  return /^[AHRLPF]+$/.test(right) && /^[AHRLPF]+$/.test(bottom) ? { right, bottom } : null;
}

/** "row,column" in mm (PS3.3 10.7.1.1: row spacing first), or missing. */
function spacingOf(headers: Headers): Spacing | null {
  const [row = NaN, column = NaN] = (headers.get("X-Pixel-Spacing") ?? "").split(/[,\\]/).map(Number);
  const known = [row, column].every((distance) => Number.isFinite(distance) && distance > 0);
  return known ? { row, column, calibrated: headers.get("X-Pixel-Spacing-Calibrated") === "yes" } : null;
}
