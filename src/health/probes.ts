// An orchestrator's two questions: must this process be restarted, and can it receive work now?
import { whatToDo } from "../nats/stream-watch.ts";
import { atMost } from "../runtime/at-most.ts";
import { pauseOf } from "./known-pauses.ts";
import type { Monitor } from "./monitor.ts";

/** How long all slots of a worker may be held by code that ignores its signal before only a restart can help. */
export const stuckLimitMs = 60_000;

/** Newly replaced credentials may take that long to be known everywhere; after that, a new process may bring new ones. */
export const loginLimitMs = 60_000;

const patienceMs = 2_000;

export interface Liveness {
  readonly live: boolean;
  readonly because: readonly string[];
}

export interface Readiness {
  readonly ready: boolean;
  readonly because: readonly string[];
  readonly engine: string;
  readonly workers: readonly WorkerReadiness[];
}

export interface WorkerReadiness {
  readonly name: string;
  readonly id: string;
  readonly ready: boolean;
  readonly because?: string;
  readonly slots: number;
  readonly used: number;
}

/** False only when a restart helps; an outage, a drain or a pause is not a reason. */
export function livenessOf(monitor: Monitor): Liveness {
  const because: string[] = [];
  if (monitor.link?.nc.isClosed()) because.push("the connection to NATS is closed for good");
  const refusedMs = monitor.link?.loginRefusedMs() ?? 0;
  if (refusedMs >= loginLimitMs)
    because.push(`NATS has refused the login for ${Math.round(refusedMs / 1_000)} s; check the credentials`);
  for (const [name, meter] of monitor.meters) {
    if (meter.allStuckMs < stuckLimitMs) continue;
    const seconds = Math.round(meter.allStuckMs / 1_000);
    because.push(`worker "${name}": for ${seconds} s all slots are held by code that ignores its aborted signal`);
  }
  return { live: because.length === 0, because };
}

/** True if every worker of the process can get a run now or, without workers, if its engine is connected; and if the store accepts writes. */
export async function readinessOf(monitor: Monitor): Promise<Readiness> {
  await atMost(patienceMs, monitor.store?.findOut());
  const trouble = monitor.store?.trouble;
  const obstacle = trouble === undefined ? monitor.gate?.storeTrouble : whatToDo(trouble);
  const workers = await workersOf(monitor, obstacle);
  const because = workers.flatMap(({ name, because }) =>
    because === undefined ? [] : [`worker "${name}": ${because}`],
  );
  if (!monitor.isStarted) because.unshift("starting");
  else if (workers.length === 0 && !monitor.link?.isConnected()) because.push("not connected to NATS");
  else if (workers.length === 0 && obstacle !== undefined) because.push(obstacle);
  return { ready: because.length === 0, because, engine: monitor.engine?.state ?? "off", workers };
}

async function workersOf(
  { workers, pauses }: Monitor,
  inStore: string | undefined,
): Promise<readonly WorkerReadiness[]> {
  const paused = workers.some(({ worker }) => worker.obstacle === undefined) ? await pauses?.now() : undefined;
  return workers.map(({ worker, tasks }) => {
    const { name, id, slots, busy } = worker;
    const because = worker.obstacle ?? inStore ?? (paused && pauseOf(paused, worker, tasks));
    return { name, id, ready: because === undefined, ...(because !== undefined && { because }), slots, used: busy };
  });
}
