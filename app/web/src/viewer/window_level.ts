export interface Window {
  center: number;
  width: number;
}

/** Number of stored values a display table covers. */
const VALUES = 65_536;

/** Grey level of each 16-bit value under the LINEAR window of PS3.3 C.11.2.1.2.1; `invert` swaps black and white. */
export function greyTable({ center, width }: Window, invert: boolean): Uint8Array {
  const table = new Uint8Array(VALUES);
  for (let value = 0; value < VALUES; value += 1) {
    const grey = greyLevel(value, center, width);
    table[value] = invert ? 255 - grey : grey;
  }
  return table;
}

/** 0-255, rounded. */
export function greyLevel(value: number, center: number, width: number): number {
  if (value <= center - 0.5 - (width - 1) / 2) return 0;
  if (value > center - 0.5 + (width - 1) / 2) return 255;
  return Math.round(((value - (center - 0.5)) / (width - 1) + 0.5) * 255);
}

export interface Preset {
  id: string;
  key: string;
  name: string;
  of: (home: Window, data: Window) => Window;
}

/**
 * Presets are relative to the window the image came with (`home`) or to its whole range (`data`):
 * radiographs have no absolute scale as CT has, so fixed numbers would fit one detector and no other.
 * Lungs are the dark part of a frame where larger = brighter; bone and mediastinum the bright part.
 */
export const PRESETS: readonly Preset[] = [
  { id: "preset_default", key: "1", name: "Default", of: (home) => home },
  { id: "preset_lung", key: "2", name: "Lung", of: (home) => shifted(home, -0.08, 0.65) },
  { id: "preset_bone", key: "3", name: "Bone", of: (home) => shifted(home, 0.2, 0.6) },
  { id: "preset_soft", key: "4", name: "Soft tissue", of: (home) => shifted(home, 0.12, 0.45) },
  { id: "preset_lines", key: "5", name: "Lines and tubes", of: (home) => shifted(home, 0.05, 0.35) },
  { id: "preset_wide", key: "6", name: "Wide", of: (_home, data) => data },
];

function shifted(home: Window, by: number, scale: number): Window {
  return clampWindow({ center: home.center + by * home.width, width: home.width * scale });
}

/** A drag across the whole pane (dx or dy = 1) doubles or halves the width, or moves the centre by one width. */
export function dragged(start: Window, dx: number, dy: number): Window {
  return clampWindow({ center: start.center + dy * start.width, width: start.width * 2 ** (dx * 2) });
}

export function clampWindow({ center, width }: Window): Window {
  return { center: Math.min(VALUES - 1, Math.max(0, center)), width: Math.min(2 * VALUES, Math.max(2, width)) };
}
