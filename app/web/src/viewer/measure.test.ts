import { describe, expect, it } from "vitest";
import { inWords } from "./measure";

const POINTS = [{ x: 10, y: 10 }, { x: 310, y: 410 }];
const spaced = (calibrated: boolean, row = 0.2, column = 0.2) => ({ spacing: { row, column, calibrated }, aspect: row / column });

describe("a length", () => {
  it.each([
    ["100.0 mm (calibrated)", spaced(true)],
    ["100.0 mm at the detector", spaced(false)],
    ["170.9 mm at the detector", spaced(false, 0.4, 0.2)],
    ["500 px, spacing unknown", { spacing: null, aspect: 1 }],
  ])("is %s", (words, frame) => {
    expect(inWords({ ruler: "length", points: POINTS }, frame)).toBe(words);
  });
});

it("an angle is that between two lines, whichever way they were drawn, in millimetres where the pixels are not square", () => {
  const level = [{ x: 0, y: 0 }, { x: 10, y: 0 }];
  const steep = [{ x: 0, y: 5 }, { x: 10, y: 15 }];
  const words = (points: readonly { x: number; y: number }[], frame: Parameters<typeof inWords>[1] = { spacing: null, aspect: 1 }) => inWords({ ruler: "angle", points }, frame);
  expect(words([...level, ...steep])).toBe("45.0°");
  expect(words([...level, ...[...steep].reverse()])).toBe("45.0°");
  expect(words([...level, ...steep], spaced(false, 0.4, 0.2))).toBe("63.4°");
  expect(words([...level, ...level])).toBe("0.0°");
});

it("says nothing of a measurement that is not complete", () => {
  expect(inWords({ ruler: "length", points: POINTS.slice(0, 1) }, spaced(true))).toBe("");
  expect(inWords({ ruler: "angle", points: [...POINTS, ...POINTS.slice(0, 1)] }, spaced(true))).toBe("");
});
