import type { View } from "./view";
import { clampWindow, type Window } from "./window_level";

/** What the other pane follows. place: zoom and movement; window: window, level and polarity. */
export interface Linked {
  place: boolean;
  window: boolean;
}

/**
 * The other pane's view after `lead` has changed. Windows are carried over relative to the window that each image came
 * with, since two detectors seldom share a scale.
 */
export function followed(lead: { view: View; home: Window }, other: { view: View; home: Window }, linked: Linked): View {
  const placed = linked.place ? { zoom: lead.view.zoom, pan: lead.view.pan } : {};
  const shown = linked.window ? { invert: lead.view.invert, window: carried(lead.view.window, lead.home, other.home) } : {};
  return { ...other.view, ...placed, ...shown };
}

function carried(window: Window, from: Window, to: Window): Window {
  const center = to.center + ((window.center - from.center) / from.width) * to.width;
  return clampWindow({ center, width: (window.width / from.width) * to.width });
}
