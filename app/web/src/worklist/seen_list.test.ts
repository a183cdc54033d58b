import { expect, it } from "vitest";
import { following } from "./seen_list";

const LIST = ["3", "1", "2"];

it.each([
  ["3", 1, ["1"]],
  ["3", 2, ["1", "2"]],
  ["1", 2, ["2"]],
  ["2", 2, []],
  ["9", 2, []],
])("after study %s the next %i of the list as it was seen", (open, count, expected) => {
  expect(following(LIST, open, count)).toEqual(expected);
});

it("knows nothing where no list was seen", () => {
  expect(following(undefined, "3", 1)).toEqual([]);
});
