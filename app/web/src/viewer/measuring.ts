import { useState } from "react";
import { POINTS, type Measurement, type Ruler } from "./measure";
import type { Point } from "./view";

export interface Measuring {
  done: readonly Measurement[];
  /** Points put so far of the one that is being made. */
  points: readonly Point[];
  put: (point: Point, ruler: Ruler) => void;
  /** Takes back the last point, or else the last measurement. */
  remove: () => void;
  clear: () => void;
}

/** The measurements of one image, and the one that is being made. They live as long as the pane shows it. */
export function useMeasuring(): Measuring {
  const [{ done, points }, set] = useState<{ done: readonly Measurement[]; points: readonly Point[] }>({ done: [], points: [] });
  return {
    done,
    points,
    put: (point, ruler) => {
      set((now) => {
        const together = [...now.points, point];
        return together.length < POINTS[ruler] ? { ...now, points: together } : { done: [...now.done, { ruler, points: together }], points: [] };
      });
    },
    remove: () => {
      set((now) => (now.points.length > 0 ? { ...now, points: now.points.slice(0, -1) } : { ...now, done: now.done.slice(0, -1) }));
    },
    clear: () => { set((now) => ({ ...now, points: [] })); },
  };
}
