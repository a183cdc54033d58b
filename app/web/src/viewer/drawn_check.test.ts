import { describe, expect, it } from "vitest";
import { CELLS, isFaithful } from "./drawn_check";
import { flippedAcross, homeView, toImage, type View } from "./view";
import { greyLevel } from "./window_level";

const EDGE = 200;
const BOX = { width: 600, height: 500 };
const VALUES = new Uint16Array(EDGE * EDGE).map((_, at) => 2000 + 1500 * Math.sin((at % EDGE) / 23) + 500 * Math.cos(at / EDGE / 11));
const FRAME = { rows: EDGE, columns: EDGE, values: VALUES, window: { center: 2000, width: 4000 }, aspect: 1, spacing: null, orientation: null };
const HOME = homeView(FRAME);

/** What a right viewer has on the screen. */
function drawn(view: View, frame = FRAME): Uint8Array {
  return Uint8Array.from({ length: CELLS * CELLS }, (_, cell) => {
    const at = { x: (((cell % CELLS) + 0.5) * BOX.width) / CELLS, y: ((Math.floor(cell / CELLS) + 0.5) * BOX.height) / CELLS };
    const { x, y } = toImage(at, frame, BOX, view);
    if (x < 0 || y < 0 || x >= EDGE || y >= EDGE) return 0;
    const grey = greyLevel(frame.values[Math.floor(y) * EDGE + Math.floor(x)]!, view.window.center, view.window.width);
    return view.invert ? 255 - grey : grey;
  });
}

const isRight = (view: View, picture: Uint8Array) => isFaithful(FRAME, view, BOX, 1, picture);
const ALL_WHITE = { ...HOME, window: { center: 2, width: 2 } };

describe("takes for the image", () => {
  it.each([
    ["the image", HOME],
    ["the image inverted by the reader", { ...HOME, invert: true }],
    ["the image mirrored, turned, zoomed", { ...flippedAcross(HOME), turns: 1, zoom: 3 }],
    ["a window that makes all white", ALL_WHITE],
    ["an image moved out of the pane", { ...HOME, pan: { x: 5000, y: 0 } }],
  ])("%s", (_what, view) => {
    expect(isRight(view, drawn(view))).toBe(true);
  });

  it("the image with as much noise as its contrast", () => {
    const noisy = drawn(HOME).map((grey, at) => Math.min(255, Math.max(0, grey + ((at * 7919) % 81) - 40)));
    expect(isRight(HOME, noisy)).toBe(true);
  });
});

describe("does not take for the image", () => {
  const plain = (grey: number) => new Uint8Array(CELLS * CELLS).fill(grey);
  it.each([
    ["black", plain(0)],
    ["white", plain(255)],
    ["grey", plain(128)],
    ["the other polarity", drawn({ ...HOME, invert: true })],
    ["the image in a window that saturates it", drawn(ALL_WHITE)],
    ["another image", drawn(HOME, { ...FRAME, values: VALUES.slice().reverse() })],
  ])("%s", (_what, picture) => {
    expect(isRight(HOME, picture)).toBe(false);
  });

  it("a picture where the window makes all black", () => {
    expect(isRight({ ...HOME, window: { center: 60_000, width: 2 } }, drawn(HOME))).toBe(false);
  });
});
