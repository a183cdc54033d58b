import { expect, it } from "vitest";
import { readFrame, UnreadableFrame } from "./frame";

function answer(values: number[], headers: Record<string, string>): Response {
  return new Response(Uint16Array.from(values), {
    headers: { "X-Rows": "2", "X-Columns": "3", "X-Window-Center": "300", "X-Window-Width": "400", "X-Pixel-Spacing": "", ...headers },
  });
}

const VALUES = [0, 1, 256, 4095, 65_535, 7];

it("reads little-endian values, geometry and window", async () => {
  const frame = await readFrame(answer(VALUES, { "X-Pixel-Spacing": "0.2,0.1", "X-Patient-Orientation": "L,F" }));
  expect([...frame.values]).toEqual(VALUES);
  expect(frame).toMatchObject({ rows: 2, columns: 3, window: { center: 300, width: 400 }, aspect: 2, spacing: { row: 0.2, column: 0.1, calibrated: false }, orientation: { right: "L", bottom: "F" } });
});

it("takes the whole range where no window is given, and square pixels where no spacing is", async () => {
  const frame = await readFrame(answer(VALUES, { "X-Window-Center": "", "X-Window-Width": "" }));
  expect(frame).toMatchObject({ window: { center: 32_768, width: 65_536 }, aspect: 1, spacing: null, orientation: null });
});

it.each([
  ["fewer pixels than said", answer(VALUES.slice(1), {})],
  ["a blank image", answer([5, 5, 5, 5, 5, 5], {})],
  ["no geometry", answer(VALUES, { "X-Rows": "" })],
  ["half a pixel", new Response(new Uint8Array(11), { headers: { "X-Rows": "2", "X-Columns": "3" } })],
])("refuses %s", async (_what, response) => {
  await expect(readFrame(response)).rejects.toThrow(UnreadableFrame);
});

it.each([["yes", true], ["no", false], [null, false]])("a spacing is calibrated only where the service says so: %s", async (said, calibrated) => {
  const frame = await readFrame(answer(VALUES, { "X-Pixel-Spacing": "0.143,0.143", ...(said === null ? {} : { "X-Pixel-Spacing-Calibrated": said }) }));
  expect(frame.spacing).toEqual({ row: 0.143, column: 0.143, calibrated });
});
