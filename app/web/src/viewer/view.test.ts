import fc from "fast-check";
import { expect, it } from "vitest";
import { meaning } from "../keys/key_map";
import { actionFor, arrow, PANE_ACTIONS, step, type Scene } from "./pane_keys";
import { edges, flippedAcross, flippedDown, homeView, oneToOne, opposite, rotated, scaleOf, toImage, toScreen, zoomed, type View } from "./view";

const FRAME = { rows: 400, columns: 300, values: new Uint16Array(0), window: { center: 100, width: 200 }, aspect: 1, spacing: null, orientation: null };
const SCENE: Scene = { frame: FRAME, data: { center: 50, width: 100 }, box: { width: 600, height: 400 }, density: 1 };
const HOME = homeView(FRAME);

const lying = fc.record({
  window: fc.constant(FRAME.window),
  invert: fc.boolean(),
  zoom: fc.double({ min: 0.2, max: 15, noNaN: true }),
  pan: fc.record({ x: fc.integer({ min: -300, max: 300 }), y: fc.integer({ min: -300, max: 300 }) }),
  turns: fc.integer({ min: 0, max: 3 }),
  mirrored: fc.boolean(),
});
const place = fc.record({ x: fc.integer({ min: 0, max: 600 }), y: fc.integer({ min: 0, max: 400 }) });

it("fits the whole image into the pane, in the middle, also when it is turned", () => {
  const corners = (view: View, aspect = 1) => [toScreen({ x: 0, y: 0 }, { ...FRAME, aspect }, SCENE.box, view), toScreen({ x: 300, y: 400 }, { ...FRAME, aspect }, SCENE.box, view)];
  expect(corners(HOME)).toEqual([{ x: 150, y: 0 }, { x: 450, y: 400 }]);
  expect(corners(HOME, 2)).toEqual([{ x: 225, y: 0 }, { x: 375, y: 400 }]);
  expect(corners(rotated({ ...HOME, zoom: 0.75 }, 1))).toEqual([{ x: 500, y: 50 }, { x: 100, y: 350 }]);
});

it("finds the image point under every place of the pane", () => {
  fc.assert(
    fc.property(lying, place, fc.double({ min: 0.5, max: 2, noNaN: true }), (view, at, aspect) => {
      const shape = { ...FRAME, aspect };
      const back = toScreen(toImage(at, shape, SCENE.box, view), shape, SCENE.box, view);
      expect(back.x).toBeCloseTo(at.x, 6);
      expect(back.y).toBeCloseTo(at.y, 6);
    }),
  );
});

it("zooming keeps the point under the cursor", () => {
  fc.assert(
    fc.property(lying, place, fc.double({ min: 0.6, max: 6, noNaN: true }), (view, at, factor) => {
      const after = zoomed(view, factor, { x: at.x - 300, y: at.y - 200 });
      const [before, now] = [toImage(at, FRAME, SCENE.box, view), toImage(at, FRAME, SCENE.box, after)];
      expect(now.x).toBeCloseTo(before.x, 5);
      expect(now.y).toBeCloseTo(before.y, 5);
    }),
  );
});

it("turning and flipping move what is on the screen as they say", () => {
  // a square pane, in which a turned image keeps its size
  const [shape, box] = [{ rows: 300, columns: 300, aspect: 1 }, { width: 400, height: 400 }];
  fc.assert(
    fc.property(lying, place, (view, point) => {
      const { x, y } = toScreen(point, shape, box, view);
      const seen = (changed: View) => toScreen(point, shape, box, changed);
      for (const [changed, expected] of [
        [flippedAcross(view), { x: 400 - x, y }],
        [flippedDown(view), { x, y: 400 - y }],
        [rotated(view, 1), { x: 400 - y, y: x }],
        [rotated(view, -1), { x: y, y: 400 - x }],
      ] as const) {
        expect(seen(changed).x).toBeCloseTo(expected.x, 6);
        expect(seen(changed).y).toBeCloseTo(expected.y, 6);
      }
    }),
  );
});

it("markers stay with the patient", () => {
  const said = { right: "L", bottom: "F" };
  expect(edges(said, HOME)).toEqual({ right: "L", bottom: "F", left: "R", top: "H" });
  expect(edges(said, flippedAcross(HOME))).toMatchObject({ left: "L", right: "R", top: "H" });
  expect(edges(said, flippedDown(HOME))).toMatchObject({ left: "R", top: "F", bottom: "H" });
  expect(edges(said, rotated(HOME, 1))).toMatchObject({ bottom: "L", left: "F", top: "R", right: "H" });
  expect(edges(said, flippedAcross(rotated(HOME, 1)))).toMatchObject({ bottom: "L", left: "H", right: "F" });
  expect(["L", "R", "LP", "F"].map(opposite)).toEqual(["R", "L", "RA", "H"]);
});

it("one to one puts each image pixel exactly on one screen pixel", () => {
  fc.assert(
    fc.property(lying, fc.integer({ min: 200, max: 900 }), fc.integer({ min: 200, max: 900 }), fc.constantFrom(1, 2), (view, width, height, density) => {
      const box = { width, height };
      const exact = oneToOne(view, FRAME, box, density);
      expect(scaleOf(FRAME, box, exact) * density).toBeCloseTo(1, 9);
      const corner = toScreen({ x: 0, y: 0 }, FRAME, box, exact);
      for (const side of [corner.x * density, corner.y * density]) expect(Math.abs(side - Math.round(side))).toBeLessThan(1e-6);
    }),
  );
});

const press = (key: string, held: Partial<KeyboardEvent> = {}) => actionFor(meaning({ key, ctrlKey: false, altKey: false, metaKey: false, ...held }, "image", {}));

it("every action is on a key of its own, and every key finds its action", () => {
  const keys = PANE_ACTIONS.flatMap((action) => action.keys);
  expect(new Set(keys).size).toBe(keys.length);
  for (const action of PANE_ACTIONS) for (const key of action.keys) expect(press(key)).toBe(action);
  expect(press("I")?.name).toBe("invert");
});

it("leaves the browser's own keys alone", () => {
  expect(press("0", { ctrlKey: true })).toBeUndefined();
  expect(press("Tab")).toBeUndefined();
});

it("reset undoes whatever was pressed", () => {
  const changes = PANE_ACTIONS.flatMap(({ does }) => (does.kind === "view" ? [does.change] : []));
  const steps = (["window", "pan", "zoom"] as const).flatMap((tool) => ["ArrowUp", "ArrowLeft"].map((key) => step(arrow(key), tool, false)));
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...changes, ...steps)), (pressed) => {
      const view = pressed.reduce((now, change) => change(now, SCENE), HOME);
      const reset = press("0")?.does;
      expect(reset?.kind === "view" && reset.change(view, SCENE)).toEqual(HOME);
    }),
  );
});
