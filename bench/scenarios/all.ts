// All scenarios, in the order in which they are measured and reported.
import type { Scenario } from "../scenario.ts";
import { atOnce, results } from "./at-once.ts";
import { backlog } from "./backlog.ts";
import { cold } from "./cold.ts";
import { delayed } from "./delayed.ts";
import { enqueue } from "./enqueue.ts";
import { handlers } from "./handlers.ts";
import { idle } from "./idle.ts";
import { latency, latencyEqual, latencyOwn } from "./latency.ts";
import { parked, parkedMillion } from "./parked.ts";
import { payloads } from "./payloads.ts";
import { raw } from "./raw.ts";
import { steady } from "./steady.ts";
import { step } from "./step.ts";
import { steps } from "./steps.ts";
import { takeover, takeoverMillion } from "./takeover.ts";
import { killed, wake } from "./wake.ts";
import { workers } from "./workers.ts";

export const scenarios: readonly Scenario[] = [
  enqueue,
  backlog,
  atOnce,
  raw,
  results,
  latency,
  latencyOwn,
  latencyEqual,
  payloads,
  workers,
  cold,
  ...handlers,
  steady,
  delayed,
  idle,
  takeover,
  takeoverMillion,
  ...steps,
  step,
  wake,
  killed,
  parked,
  parkedMillion,
];
