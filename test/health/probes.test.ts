// Liveness by itself: only what a restart helps against.
import assert from "node:assert/strict";
import { writeMetrics } from "../../src/health/exposition.ts";
import { Monitor } from "../../src/health/monitor.ts";
import { livenessOf, loginLimitMs, stuckLimitMs } from "../../src/health/probes.ts";
import type { NatsLink } from "../../src/nats/link.ts";
import { durationBounds, Meter } from "../../src/worker/meter.ts";
import { test } from "../support/harness.ts";

test("liveness: false when all slots of a worker are held for a minute by code that does not end", () => {
  const monitor = new Monitor();
  const meter = monitor.meterFor({ name: "email", slots: 2 });
  meter.ended("send", "cancelled", 10);
  assert.equal(meter.allStuckMs, 0);
  meter.ended("send", "cancelled", 10);
  assert.ok(meter.allStuckMs >= 0);
  assert.equal(livenessOf(monitor).live, true);
  Object.defineProperty(meter, "allStuckMs", { value: stuckLimitMs });
  assert.deepEqual(livenessOf(monitor), {
    live: false,
    because: ['worker "email": for 60 s all slots are held by code that ignores its aborted signal'],
  });
});

test("liveness: false when NATS has refused the login for a minute", () => {
  const monitor = new Monitor();
  let refusedMs: number | undefined = loginLimitMs - 1;
  monitor.link = { nc: { isClosed: () => false }, loginRefusedMs: () => refusedMs } as NatsLink;
  assert.equal(livenessOf(monitor).live, true);
  refusedMs = loginLimitMs;
  assert.deepEqual(livenessOf(monitor), {
    live: false,
    because: ["NATS has refused the login for 60 s; check the credentials"],
  });
  refusedMs = undefined; // it is away
  assert.equal(livenessOf(monitor).live, true);
});

test("meter: one freed slot is enough; workers of one name count together", () => {
  const monitor = new Monitor();
  const meter = monitor.meterFor({ name: "email", slots: 1 });
  assert.equal(monitor.meterFor({ name: "email", slots: 1 }), meter);
  meter.ended("send", "failed", 0);
  meter.ended("send", "failed", 0);
  meter.left();
  assert.deepEqual([meter.stuck, meter.allStuckMs], [1, 0]);
});

test("meter: a duration counts where it belongs, also on a bound and beyond the last", () => {
  const meter = new Meter();
  for (const ms of [0, 5, 6, 300_000, 300_001]) meter.ended("send", "completed", ms);
  const { durations, totalMs } = meter.tasks.get("send")!;
  const last = durationBounds.length;
  assert.deepEqual([durations[0], durations[1], durations[last - 1], durations[last], totalMs], [2, 1, 1, 1, 600_012]);
});

test("exposition: labels are escaped, a metric without samples is left out", () => {
  const text = writeMetrics([
    { name: "a", type: "gauge", help: "A.", samples: [{ labels: { name: 'x"y\\z\n' }, value: 1.5 }] },
    { name: "b", type: "counter", help: "B.", samples: [] },
  ]);
  assert.equal(text, '# HELP a A.\n# TYPE a gauge\na{name="x\\"y\\\\z\\n"} 1.5\n');
});
