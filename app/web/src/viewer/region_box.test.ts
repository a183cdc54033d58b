import fc from "fast-check";
import { expect, it } from "vitest";
import { LABEL, labelPlaces, onScreen, type Rectangle } from "./region_box";
import { flippedAcross, flippedDown, homeView, panned, rotated, toImage, zoomed, type View } from "./view";

const SHAPE = { rows: 400, columns: 300, aspect: 1 };
const BOX = { width: 600, height: 400 };
const HOME = homeView({ window: { center: 100, width: 200 } });
/** Columns 30 to 60, rows 40 to 100. */
const PART = { left: 0.1, top: 0.1, right: 0.2, bottom: 0.25 };

it.each<[string, View, Rectangle]>([
  ["at fit", HOME, { x: 180, y: 40, width: 30, height: 60 }],
  ["moved", panned(HOME, 7, -9), { x: 187, y: 31, width: 30, height: 60 }],
  ["zoomed about the middle", zoomed(HOME, 2), { x: 60, y: -120, width: 60, height: 120 }],
  ["flipped across", flippedAcross(HOME), { x: 390, y: 40, width: 30, height: 60 }],
  ["flipped down", flippedDown(HOME), { x: 180, y: 300, width: 30, height: 60 }],
  ["upside down", rotated(HOME, 2), { x: 390, y: 300, width: 30, height: 60 }],
])("a part of the image is where it is seen: %s", (_name, view, expected) => {
  const seen = onScreen(PART, SHAPE, BOX, view);
  for (const key of ["x", "y", "width", "height"] as const) expect(seen[key]).toBeCloseTo(expected[key], 9);
});

it("holds what lies in the part, and nothing else, however the image is looked at", () => {
  const view = fc.record({
    window: fc.constant(HOME.window),
    invert: fc.boolean(),
    zoom: fc.double({ min: 0.2, max: 15, noNaN: true }),
    pan: fc.record({ x: fc.integer({ min: -300, max: 300 }), y: fc.integer({ min: -300, max: 300 }) }),
    turns: fc.integer({ min: 0, max: 3 }),
    mirrored: fc.boolean(),
  });
  const share = fc.double({ min: 0.01, max: 0.99, noNaN: true });
  fc.assert(
    fc.property(view, fc.double({ min: 0.5, max: 2, noNaN: true }), share, share, (now, aspect, across, down) => {
      const shape = { ...SHAPE, aspect };
      const { x, y, width, height } = onScreen(PART, shape, BOX, now);
      const inside = toImage({ x: x + width * across, y: y + height * down }, shape, BOX, now);
      expect(inside.x).toBeGreaterThan(30);
      expect(inside.x).toBeLessThan(60);
      expect(inside.y).toBeGreaterThan(40);
      expect(inside.y).toBeLessThan(100);
    }),
  );
});

it("labels stay in the pane and off each other, also where the boxes are one upon another", () => {
  const place = fc.double({ min: -900, max: 900, noNaN: true });
  const stacks = fc.array(fc.record({ x: place, y: place, count: fc.integer({ min: 1, max: 6 }) }), { maxLength: 5 });
  fc.assert(
    fc.property(stacks, (corners) => {
      const rectangles = corners.flatMap(({ x, y, count }) => Array.from({ length: count }, () => ({ x, y, width: 50, height: 40 })));
      const places = labelPlaces(rectangles, BOX);
      expect(places).toHaveLength(rectangles.length);
      for (const [at, { x, y }] of places.entries()) {
        expect(x).toBeGreaterThanOrEqual(0);
        expect(x).toBeLessThanOrEqual(BOX.width - LABEL.width);
        expect(y).toBeGreaterThanOrEqual(0);
        for (const other of places.slice(at + 1)) expect(Math.abs(other.x - x) >= LABEL.width || Math.abs(other.y - y) >= LABEL.height).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
  expect(labelPlaces([{ x: 10, y: 20, width: 50, height: 40 }, { x: 10, y: 20, width: 50, height: 40 }], BOX)).toEqual([{ x: 10, y: 20 }, { x: 10 + LABEL.width, y: 20 }]);
});
