// One measurement of one system: its servers on a fresh store, one client process, worker processes, and the count of what was executed.
import { now } from "./adapter.ts";
import { cpuTimeMs } from "./cpu-time.ts";
import { type Line, Process } from "./process.ts";
import { sleep } from "./servers/server.ts";
import type { Stand, System } from "./system.ts";
import { type Workload, workloadArgument } from "./workload.ts";

/** Nothing executed for so long means that nothing more will be. */
const stuckMs = 30_000;
export const slots = 100;

export interface Count {
  readonly lost: number;
  readonly doubled: number;
}

export interface Span {
  /** When the first run began. */
  readonly firstAt: number;
  /** When the store knew that all were finished. */
  readonly endAt: number;
}

export class Cell<S extends Stand = Stand> {
  readonly stand: S;
  readonly client: Process;
  readonly system: Omit<System, "start">;
  readonly #workload: Workload;
  readonly #tally: number[] = [];
  #workers: Process[] = [];
  #made = 0;
  /** Executed by workers that have ended. */
  #executedBefore = 0;

  private constructor(stand: S, client: Process, system: Omit<System, "start">, workload: Workload) {
    this.stand = stand;
    this.client = client;
    this.system = system;
    this.#workload = workload;
  }

  static async open<S extends Stand>(
    system: Omit<System, "start"> & { start(): Promise<S> },
    workload: Workload = {},
  ): Promise<Cell<S>> {
    const stand = await system.start();
    const client = new Process("./client-process.ts", [system.adapter, stand.url, workloadArgument(workload)]);
    const cell = new Cell(stand, client, system, workload);
    try {
      await client.next("connected", 30_000);
      return cell;
    } catch (error) {
      await cell.abandon();
      throw error;
    }
  }

  /** How many runs of a long measurement this system is given. */
  shareOf(count: number): number {
    return Math.ceil(count * (this.system.share ?? 1));
  }

  get workers(): readonly Process[] {
    return this.#workers;
  }

  /** Gives the client an order and waits until it is done. */
  async tell(measurement: string, order: object = {}): Promise<Line> {
    const line = await this.client.ask(measurement, { bytes: 100, perCall: 1_000, lanes: 1, ...order });
    this.#made = line.made;
    return line;
  }

  /** Workers that are held let no run end until they are told to. */
  async startWorkers(count: number, held = false): Promise<void> {
    const workload = workloadArgument(this.#workload);
    const { slots: given = slots } = this.#workload;
    const args = [this.system.adapter, this.stand.url, String(given), workload, ...(held ? ["held"] : [])];
    const started = Array.from(
      { length: count },
      () => new Process("./worker-process.ts", args, this.#workload.hasDefaultLog),
    );
    this.#workers.push(...started);
    await Promise.all(started.map((worker) => worker.next("registered", 30_000)));
  }

  /** Some work through all paths, so that nothing measured is done for the first time. */
  async warmUp(count: number): Promise<void> {
    await this.tell("bulk", { count });
    await this.tell("results", { count, lanes: 100 });
    await this.settle();
    await this.reset();
  }

  async reset(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.ask("reset")));
  }

  /** Waits until all that was made is executed and the store knows it. */
  async settle(): Promise<Span> {
    let executed = -1;
    let firstAt = 0;
    for (let movedAt = Date.now(); ; await sleep(20)) {
      const counts = await Promise.all(this.#workers.map((worker) => worker.ask("count")));
      const sum = counts.reduce((total, count) => total + count.executed, this.#executedBefore);
      if (sum !== executed) movedAt = Date.now();
      executed = sum;
      firstAt = Math.min(...counts.map((count) => count.firstAt as number).filter((at) => at > 0));
      if (executed >= this.#made) break;
      if (Date.now() - movedAt > stuckMs) return { firstAt, endAt: now() };
    }
    return { firstAt, endAt: (await this.client.ask("idle")).at };
  }

  /** What the workers waited for since the last reset, in milliseconds. */
  async latencies(): Promise<Float64Array> {
    const parts = await Promise.all(this.#workers.map((worker) => worker.ask("latencies")));
    return Float64Array.from(parts.flatMap(({ base64 }) => [...new Float32Array(bytesOf(base64).buffer)]));
  }

  /** The CPU time so far of each kind of process, in milliseconds. */
  cpu(): Record<string, number> {
    const times: Record<string, number> = {};
    for (const [part, pid] of Object.entries(this.stand.pids)) times[part] = cpuTimeMs(pid);
    times["worker"] = this.#workers.reduce((sum, { pid }) => sum + cpuTimeMs(pid), 0);
    times["client"] = cpuTimeMs(this.client.pid);
    return times;
  }

  async stopWorkers(): Promise<void> {
    const workers = this.#workers;
    for (const worker of workers) {
      const counts = bytesOf((await worker.ask("tally")).base64);
      for (const [index, count] of counts.entries())
        if (count > 0) this.#tally[index] = (this.#tally[index] ?? 0) + count;
      this.#executedBefore += counts.reduce((sum, count) => sum + count, 0);
    }
    this.#workers = [];
    await Promise.all(workers.map((worker) => worker.end()));
  }

  /** Ends everything and tells what was lost or executed twice. */
  async close(): Promise<Count> {
    await this.stopWorkers();
    await this.client.end();
    await this.stand.stop();
    const counts = Array.from({ length: this.#made }, (_, index) => this.#tally[index] ?? 0);
    return {
      lost: counts.filter((count) => count === 0).length,
      doubled: counts.filter((count) => count > 1).length,
    };
  }

  /** Ends everything at once, after a failure. */
  async abandon(): Promise<void> {
    for (const each of [...this.#workers, this.client]) await each.kill();
    await this.stand.stop();
  }
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(base64, "base64"));
}
