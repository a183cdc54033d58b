import type { StudyImage } from "../api/types";
import { range, type Frame } from "../viewer/frame";
import { followed, type Linked } from "../viewer/link";
import type { Change, Scene, Tool } from "../viewer/pane_keys";
import { homeView, type Size, type View } from "../viewer/view";
import type { Window } from "../viewer/window_level";

export type Role = StudyImage["role"];

/** An image on the light box. box: the pane's size in CSS pixels, null until it is laid out; data: the window over all values. */
export interface Film {
  frame: Frame;
  data: Window;
  view: View;
  box: Size | null;
}

export interface LightBox {
  films: Readonly<Partial<Record<Role, Film>>>;
  /** The pane that had the focus last: toolbar and links start from it. */
  active: Role;
  tool: Tool;
  linked: Linked;
}

export type Act =
  | { kind: "hang"; role: Role; frame: Frame }
  | { kind: "size"; role: Role; box: Size }
  | { kind: "look"; role: Role; change: Change; density: number }
  | { kind: "activate"; role: Role }
  | { kind: "tool"; tool: Tool }
  | { kind: "link"; link: keyof Linked };

export const DARK: LightBox = { films: {}, active: "current", tool: "window", linked: { place: false, window: false } };

/** The light box after one act of the reader. */
export function lightBox(now: LightBox, act: Act): LightBox {
  switch (act.kind) {
    case "hang":
      return now.films[act.role]?.frame === act.frame ? now : withFilm(now, act.role, hung(act.frame, now.films[act.role]?.box ?? null));
    case "size":
      return changed(now, act.role, (film) => ({ ...film, box: act.box }));
    case "look":
      return follow(changed(now, act.role, (film) => looked(film, act.change, act.density)), act.role);
    case "activate":
      return now.active === act.role ? now : { ...now, active: act.role };
    case "tool":
      return { ...now, tool: act.tool };
    case "link":
      return follow({ ...now, linked: { ...now.linked, [act.link]: !now.linked[act.link] } }, now.active);
  }
}

function hung(frame: Frame, box: Size | null): Film {
  const [low, high] = range(frame.values);
  return { frame, data: { center: (low + high + 1) / 2, width: Math.max(2, high - low + 1) }, view: homeView(frame), box };
}

function looked(film: Film, change: Change, density: number): Film {
  if (film.box === null) return film;
  const scene: Scene = { frame: film.frame, data: film.data, box: film.box, density };
  return { ...film, view: change(film.view, scene) };
}

/** The other pane takes over what is linked. */
function follow(now: LightBox, lead: Role): LightBox {
  const led = now.films[lead];
  if (led === undefined || !(now.linked.place || now.linked.window)) return now;
  return changed(now, other(lead), (film) => ({
    ...film,
    view: followed({ view: led.view, home: led.frame.window }, { view: film.view, home: film.frame.window }, now.linked),
  }));
}

export function other(role: Role): Role {
  return role === "current" ? "prior" : "current";
}

function changed(now: LightBox, role: Role, change: (film: Film) => Film): LightBox {
  const film = now.films[role];
  return film === undefined ? now : withFilm(now, role, change(film));
}

function withFilm(now: LightBox, role: Role, film: Film): LightBox {
  return { ...now, films: { ...now.films, [role]: film } };
}
