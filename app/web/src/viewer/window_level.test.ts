import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { greyTable, dragged, greyLevel, PRESETS } from "./window_level";

describe("LINEAR window (PS3.3 C.11.2.1.2.1)", () => {
  // worked example of the standard: c = 2048, w = 4096 maps 0 … 4095 onto the whole output range
  it.each([
    [0, 0],
    [2047, 127],
    [2048, 128],
    [4095, 255],
    [60_000, 255],
  ])("value %i is grey %i", (value, grey) => {
    expect(greyLevel(value, 2048, 4096)).toBe(grey);
  });

  it("a window of width 1 is a threshold at centre - 0.5", () => {
    expect([99, 100].map((value) => greyLevel(value, 100, 1))).toEqual([0, 255]);
  });

  it("never falls with rising value, and inverting mirrors it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 65_535 }), fc.integer({ min: 2, max: 131_072 }), (center, width) => {
        const [plain, inverted] = [greyTable({ center, width }, false), greyTable({ center, width }, true)];
        for (let value = 1; value < 65_536; value += 97) {
          expect(plain[value]!).toBeGreaterThanOrEqual(plain[value - 1]!);
          expect(plain[value]! + inverted[value]!).toBe(255);
        }
      }),
      { numRuns: 20 },
    );
  });
});

it("no drag and no preset leaves a window that cannot be drawn", () => {
  const window = fc.record({ center: fc.integer({ min: 0, max: 65_535 }), width: fc.integer({ min: 2, max: 65_536 }) });
  fc.assert(
    fc.property(window, fc.double({ min: -3, max: 3, noNaN: true }), fc.double({ min: -3, max: 3, noNaN: true }), (start, dx, dy) => {
      for (const { center, width } of [dragged(start, dx, dy), ...PRESETS.map(({ of }) => of(start, start))]) {
        expect(width).toBeGreaterThanOrEqual(2);
        expect(center).toBeGreaterThanOrEqual(0);
        expect(center).toBeLessThan(65_536);
      }
    }),
  );
});
