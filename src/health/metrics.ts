// The metrics of a process, for Prometheus.
import type { QueueInfo } from "../domain/listing.ts";
import { durationBounds, type Meter, type TaskFigures } from "../worker/meter.ts";
import { type Labels, type Metric, type Sample, writeMetrics } from "./exposition.ts";
import type { Monitor, WatchedWorker } from "./monitor.ts";
import { readinessOf } from "./probes.ts";

export async function metricsOf(monitor: Monitor): Promise<string> {
  const { ready } = await readinessOf(monitor);
  const { link, reconnects, unhandled } = monitor;
  return writeMetrics([
    gauge("natchet_ready", "1 while the process can receive work.", [{ value: Number(ready) }]),
    gauge("natchet_connected", "1 while the process is connected to NATS.", [
      { value: Number(link?.isConnected() ?? false) },
    ]),
    counter("natchet_reconnects_total", "Connections to NATS that were lost and restored.", [{ value: reconnects }]),
    counter("natchet_unhandled_errors_total", "Unhandled errors of user code.", [{ value: unhandled }]),
    ...ofWorkers(monitor.workers, monitor.meters),
    ...ofTasks(monitor.meters),
    ...ofEngine(monitor),
  ]);
}

function ofWorkers(workers: readonly WatchedWorker[], meters: ReadonlyMap<string, Meter>): Metric[] {
  const sum = (figure: (watched: WatchedWorker) => number): Sample[] =>
    [...meters.keys()].map((name) => {
      const same = workers.filter(({ worker }) => worker.name === name);
      return { labels: { worker: name }, value: same.reduce((total, watched) => total + figure(watched), 0) };
    });
  const stuck = [...meters].map(([worker, meter]) => ({ labels: { worker }, value: meter.stuck }));
  return [
    gauge(
      "natchet_worker_slots",
      "Attempts that may run at the same time.",
      sum(({ worker }) => worker.slots),
    ),
    gauge(
      "natchet_worker_slots_used",
      "Attempts whose code is running.",
      sum(({ worker }) => worker.busy),
    ),
    gauge("natchet_worker_slots_stuck", "Slots held by code that keeps running after its attempt has ended.", stuck),
    gauge(
      "natchet_worker_runs_held",
      "Runs executing, or ended but not stored yet.",
      sum(({ worker }) => worker.held),
    ),
  ];
}

function ofTasks(meters: ReadonlyMap<string, Meter>): Metric[] {
  const each = (samples: (labels: Labels, figures: TaskFigures) => Sample[]): Sample[] =>
    [...meters].flatMap(([worker, { tasks }]) =>
      [...tasks].flatMap(([task, figures]) => samples({ worker, task }, figures)),
    );
  return [
    counter(
      "natchet_attempts_started_total",
      "Attempts whose code was started.",
      each((labels, { started }) => [{ labels, value: started }]),
    ),
    counter(
      "natchet_attempts_ended_total",
      "Attempts by outcome: completed, failed and cancelled end the run, retry and returned do not; fenced ones no longer count.",
      each((labels, { ended }) => [...ended].map(([outcome, value]) => ({ labels: { ...labels, outcome }, value }))),
    ),
    {
      name: "natchet_attempt_duration_seconds",
      type: "histogram",
      help: "Time from the start of an attempt to its outcome.",
      samples: each(histogram),
    },
  ];
}

function histogram(labels: Labels, { durations, totalMs }: TaskFigures): Sample[] {
  let count = 0;
  const buckets = Array.from(durations, (value, i) => {
    count += value;
    const bound = durationBounds[i];
    return { suffix: "_bucket", labels: { ...labels, le: bound === undefined ? "+Inf" : bound / 1_000 }, value: count };
  });
  return [...buckets, { suffix: "_sum", labels, value: totalMs / 1_000 }, { suffix: "_count", labels, value: count }];
}

const waitingStates = ["queued", "scheduled", "retrying", "waiting", "running"] as const;

function ofEngine({ engine }: Monitor): Metric[] {
  if (engine === undefined) return [];
  const queues = engine.queues() ?? [];
  const runs = (queue: QueueInfo): Sample[] =>
    waitingStates.map((state) => ({ labels: { task: queue.task, state }, value: queue[state] }));
  return [
    gauge("natchet_engine_leading", "1 while this process's engine leads the namespace.", [
      { value: Number(engine.state === "leading") },
    ]),
    gauge(
      "natchet_queue_runs",
      "Unfinished runs of the namespace; only from the leading engine.",
      queues.flatMap(runs),
    ),
    gauge(
      "natchet_queue_workers",
      "Workers that have the task; only from the leading engine.",
      queues.map(({ task, workers }) => ({ labels: { task }, value: workers })),
    ),
    counter(
      "natchet_runs_cancelled_total",
      "Runs that the engine of this process cancelled, by reason: a caller, the strategy of a limit, the schedule timeout, the deadline of a durable run, or a child nobody waits for any more.",
      engine
        .cancellations()
        .flatMap(({ task, runs }) =>
          Object.entries(runs).map(([reason, value]) => ({ labels: { task, reason }, value })),
        ),
    ),
  ];
}

const gauge = (name: string, help: string, samples: readonly Sample[]): Metric => ({
  name,
  type: "gauge",
  help,
  samples,
});
const counter = (name: string, help: string, samples: readonly Sample[]): Metric => ({
  name,
  type: "counter",
  help,
  samples,
});
