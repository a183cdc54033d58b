import fc from "fast-check";
import { expect, it } from "vitest";
import { actionFor, PANE_ACTIONS } from "./pane_keys";
import { homeView, placement, zoomed } from "./view";

const FRAME = { rows: 400, columns: 300, values: new Uint16Array(0), window: { center: 100, width: 200 }, aspect: 1, orientation: null };
const DATA = { center: 50, width: 100 };

it("fits the whole image into the pane, in the middle", () => {
  expect(placement(FRAME, { width: 600, height: 400 }, homeView(FRAME))).toEqual({ x: 150, y: 0, width: 300, height: 400 });
  expect(placement({ ...FRAME, aspect: 2 }, { width: 600, height: 400 }, homeView(FRAME))).toEqual({ x: 225, y: 0, width: 150, height: 400 });
});

it("zooming keeps the point under the cursor", () => {
  const at = fc.record({ x: fc.integer({ min: -300, max: 300 }), y: fc.integer({ min: -200, max: 200 }) });
  fc.assert(
    fc.property(at, fc.double({ min: 0.6, max: 6, noNaN: true }), (point, factor) => {
      const before = homeView(FRAME);
      const after = zoomed(before, factor, point);
      const image = (view: typeof before) => (point.x - view.pan.x) / view.zoom;
      expect(image(after)).toBeCloseTo(image(before), 6);
    }),
  );
});

const press = (key: string, held: Partial<KeyboardEvent> = {}) => actionFor({ key, shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, ...held });

it("every action is on a key of its own, and every key finds its action", () => {
  const keys = PANE_ACTIONS.flatMap((action) => action.keys);
  expect(new Set(keys).size).toBe(keys.length);
  for (const action of PANE_ACTIONS) {
    for (const key of action.keys) expect(press(key.replace("Shift+", ""), { shiftKey: key.startsWith("Shift+") })).toBe(action);
  }
  expect(press("I", { shiftKey: true })?.name).toBe("invert");
});

it("leaves the browser's own keys alone", () => {
  expect(press("0", { ctrlKey: true })).toBeUndefined();
  expect(press("Tab")).toBeUndefined();
});

it("reset undoes whatever was pressed", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...PANE_ACTIONS)), (pressed) => {
      const view = pressed.reduce((now, { apply }) => apply(now, FRAME, DATA), homeView(FRAME));
      expect(press("0")?.apply(view, FRAME, DATA)).toEqual(homeView(FRAME));
    }),
  );
});
