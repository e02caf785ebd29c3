// All scenarios, in the order in which they are measured and reported.
import type { Scenario } from "../scenario.ts";
import { atOnce, results } from "./at-once.ts";
import { backlog } from "./backlog.ts";
import { enqueue } from "./enqueue.ts";
import { latency, latencyEqual, latencyOwn } from "./latency.ts";

export const scenarios: readonly Scenario[] = [enqueue, backlog, atOnce, results, latency, latencyOwn, latencyEqual];
