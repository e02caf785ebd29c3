// What the probes of a process report: filled while the process starts, read on request.

import type { RunningEngine } from "../engine/running-engine.ts";
import { AdmissionGate } from "../nats/admission-gate.ts";
import type { NatsLink } from "../nats/link.ts";
import type { StoreWatch } from "../nats/store-watch.ts";
import type { Subjects } from "../wire/subjects.ts";
import { Meter } from "../worker/meter.ts";
import type { RunningWorker } from "../worker/running-worker.ts";
import { KnownPauses } from "./known-pauses.ts";

/** A worker of this process with the tasks that it executes. */
export interface WatchedWorker {
  readonly worker: RunningWorker;
  readonly tasks: readonly string[];
}

interface Watched {
  readonly link: NatsLink;
  readonly subjects: Subjects;
  readonly store: StoreWatch;
}

export class Monitor {
  readonly workers: WatchedWorker[] = [];
  /** By the name of the worker: workers of one name count together. */
  readonly meters = new Map<string, Meter>();
  engine: RunningEngine | undefined;
  link: NatsLink | undefined;
  pauses: KnownPauses | undefined;
  store: StoreWatch | undefined;
  gate: AdmissionGate | undefined;
  reconnects = 0;
  /** Errors of user code that nobody handled. */
  unhandled = 0;
  /** Everything that the process has to start is started. */
  isStarted = false;

  /** The connection on which everything else depends. */
  watch({ link, subjects, store }: Watched): void {
    this.link = link;
    this.store = store;
    this.gate = new AdmissionGate(link, subjects); // ends with the connection
    this.pauses = new KnownPauses(link, subjects);
    link.onReconnect(() => {
      this.reconnects += 1;
    });
  }

  add(worker: RunningWorker, { tasks }: { readonly tasks: readonly { readonly name: string }[] }): void {
    this.workers.push({ worker, tasks: tasks.map(({ name }) => name) });
  }

  countUnhandled(): void {
    this.unhandled += 1;
  }

  meterFor({ name, slots }: { readonly name: string; readonly slots: number }): Meter {
    const meter = this.meters.get(name) ?? new Meter();
    meter.addSlots(slots);
    this.meters.set(name, meter);
    return meter;
  }
}
