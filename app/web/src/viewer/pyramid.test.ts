import { expect, it } from "vitest";
import { levelFor, pyramid } from "./pyramid";

const FRAME = { rows: 1025, columns: 800, window: { center: 0, width: 1 }, aspect: 1, spacing: null, orientation: null };

it("halves by averaging, odd edges included", () => {
  const values = new Uint16Array(FRAME.rows * FRAME.columns).map((_, index) => (index % FRAME.columns) * 10);
  const levels = pyramid({ ...FRAME, values });
  expect(levels.map(({ rows, columns }) => [rows, columns])).toEqual([[1025, 800], [513, 400], [257, 200]]);
  expect([...levels[1]!.values.slice(0, 3)]).toEqual([5, 25, 45]);
  expect(levels[1]!.values.at(-1)).toBe(7985);
});

it("takes a level with at least one pixel per screen pixel", () => {
  const levels = pyramid({ ...FRAME, values: new Uint16Array(FRAME.rows * FRAME.columns) });
  expect([4, 1, 0.6, 0.5, 0.3, 0.25, 0.01].map((scale) => levelFor(levels, scale))).toEqual([0, 0, 0, 1, 1, 2, 2]);
});
