import type { Queue } from "./types";

/** The states of jobs, in the order of their columns. */
export const STATES = ["queued", "running", "dead", "done", "dropped", "superseded"] as const;

export interface TaskLine {
  task: string;
  /** Number of jobs by state; a state that is not here has none. */
  jobs: ReadonlyMap<string, number>;
  /** Age of the oldest job that still waits, runs or has given up, in seconds; null where there is none. */
  oldest: number | null;
}

/** One line for each task, in the service's order. */
export function linesOf(queues: readonly Queue[]): TaskLine[] {
  return [...new Set(queues.map(({ task }) => task))].map((task) => {
    const mine = queues.filter((queue) => queue.task === task);
    const ages = mine.flatMap(({ oldest_seconds: age }) => (age === null ? [] : [age]));
    return { task, jobs: new Map(mine.map(({ state, jobs }) => [state, jobs])), oldest: ages.length === 0 ? null : Math.max(...ages) };
  });
}

export function deadJobs(queues: readonly Queue[]): number {
  return queues.filter(({ state }) => state === "dead").reduce((sum, { jobs }) => sum + jobs, 0);
}
