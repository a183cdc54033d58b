import { expect, it } from "vitest";
import { deadJobs, linesOf } from "./queue_table";
import type { Queue } from "./types";

const QUEUES: Queue[] = [
  { task: "delivery.send", state: "done", jobs: 7, oldest_seconds: null },
  { task: "delivery.send", state: "queued", jobs: 2, oldest_seconds: 40 },
  { task: "priors.gather", state: "dead", jobs: 1, oldest_seconds: 140 },
  { task: "priors.gather", state: "running", jobs: 3, oldest_seconds: 2 },
  { task: "evidence.point", state: "dead", jobs: 4, oldest_seconds: 9 },
  { task: "drafting.write", state: "done", jobs: 5, oldest_seconds: null },
];

it("a task has one line, with the age of its oldest unfinished job", () => {
  expect(linesOf(QUEUES).map(({ task, oldest }) => [task, oldest])).toEqual([
    ["delivery.send", 40],
    ["priors.gather", 140],
    ["evidence.point", 9],
    ["drafting.write", null],
  ]);
});

it("no job is lost on the way into the lines", () => {
  const counted = linesOf(QUEUES).flatMap(({ jobs }) => [...jobs.values()]);
  expect(counted.reduce((sum, jobs) => sum + jobs, 0)).toBe(22);
});

it("the dead are counted over all tasks", () => {
  expect([deadJobs(QUEUES), deadJobs([])]).toEqual([5, 0]);
});
