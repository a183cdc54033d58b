import fc from "fast-check";
import { expect, it } from "vitest";
import { PANE_ACTIONS } from "../viewer/pane_keys";
import { homeView } from "../viewer/view";
import { DARK, lightBox, other, type Act, type LightBox } from "./light_box";

const frame = (center: number, width: number) => ({
  rows: 4, columns: 3, values: Uint16Array.from({ length: 12 }, (_, at) => at * 100), window: { center, width }, aspect: 1, spacing: null, orientation: null,
});
const [CURRENT, PRIOR] = [frame(2000, 1000), frame(300, 100)];
const BOTH = ([
  { kind: "hang", role: "current", frame: CURRENT },
  { kind: "hang", role: "prior", frame: PRIOR },
  { kind: "size", role: "current", box: { width: 500, height: 600 } },
  { kind: "size", role: "prior", box: { width: 500, height: 600 } },
] satisfies Act[]).reduce(lightBox, DARK);

const look = (role: "current" | "prior", name: string): Act => {
  const does = PANE_ACTIONS.find((action) => action.name === name)?.does;
  if (does?.kind !== "view") throw new Error(name);
  return { kind: "look", role, change: does.change, density: 1 };
};
const after = (...acts: Act[]): LightBox => acts.reduce(lightBox, BOTH);

it("hangs each image as it came, and keeps how it is looked at when the same one is hung again", () => {
  expect(BOTH.films.prior?.view).toEqual(homeView(PRIOR));
  const zoomed = after(look("prior", "zoom in"));
  expect(lightBox(zoomed, { kind: "hang", role: "prior", frame: PRIOR })).toBe(zoomed);
  expect(lightBox(zoomed, { kind: "hang", role: "prior", frame: CURRENT }).films.prior?.view).toEqual(homeView(CURRENT));
});

it("moves one image alone until they are linked", () => {
  expect(after(look("current", "zoom in")).films.prior).toBe(BOTH.films.prior);
});

it("linked windows are carried over relative to the window that each image came with", () => {
  const both = after({ kind: "link", link: "window" }, look("current", "Lung window"));
  expect(both.films.current?.view.window).toEqual({ center: 1920, width: 650 });
  expect(both.films.prior?.view.window).toEqual({ center: 292, width: 65 });
  expect(both.films.prior?.view.zoom).toBe(1);
});

it("linking makes the other image follow at once, and parting leaves both as they are", () => {
  const parted = after(look("current", "zoom in"), { kind: "link", link: "place" }, { kind: "link", link: "place" });
  expect(parted.films.prior?.view.zoom).toBe(1.25);
  expect(lightBox(parted, look("current", "zoom out")).films.prior?.view.zoom).toBe(1.25);
});

it("linked images never differ in zoom and place, whichever leads, and are turned each for itself", () => {
  const role = fc.constantFrom("current" as const, "prior" as const);
  const names = PANE_ACTIONS.flatMap(({ name, does }) => (does.kind === "view" && !/rotate|flip/.test(name) ? [name] : []));
  fc.assert(
    fc.property(fc.array(fc.tuple(role, fc.constantFrom(...names))), (pressed) => {
      const { films } = after({ kind: "link", link: "place" }, ...pressed.map(([at, name]) => look(at, name)));
      expect(films.current?.view.zoom).toBe(films.prior?.view.zoom);
      expect(films.current?.view.pan).toEqual(films.prior?.view.pan);
    }),
  );
  expect(after({ kind: "link", link: "place" }, look("prior", "rotate to the right")).films.current?.view.turns).toBe(0);
  expect(other(other("prior"))).toBe("prior");
});
