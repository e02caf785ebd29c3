// `natchet/testing`: tasks without NATS, a clock that the test moves, and a throw-away server.
export type { Clock } from "./clock.ts";
export { everyCrash, type Scenario } from "./every-crash.ts";
export { type InlineOptions, type InlineWorker, inline, type Testable, type TestableClass } from "./inline.ts";
export type { InlineRun } from "./inline-run.ts";
export { ManualClock, type ManualClockOptions, manualClock } from "./manual-clock.ts";
export { type TestServer, testServer } from "./test-server.ts";
export { type TestRun, type TestWorker, type TestWorkerOptions, testWorker } from "./test-worker.ts";
