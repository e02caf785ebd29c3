import { parseConcurrency, parseRateLimits } from "../../src/domain/limits.ts";
import { changePauses, noPauses, type Pauses } from "../../src/domain/pauses.ts";
import type { TaskPolicies } from "../../src/domain/policies.ts";
import { splitKey } from "../../src/domain/run.ts";
import type { Command, PurgeFilter, StoredRate } from "../../src/scheduler/commands.ts";
import type { SchedulerEvent } from "../../src/scheduler/events.ts";
import type { SchedulerOptions } from "../../src/scheduler/state.ts";
import { Checks } from "./checks.ts";
import { ModelClient } from "./model-client.ts";
import { ModelEngine, simulatedOptions } from "./model-engine.ts";
import { ModelStream } from "./model-stream.ts";
import { type Assigned, ModelWorker, snapshotOf } from "./model-worker.ts";
import { Random } from "./random.ts";

/** What may go wrong. In a calm world workers and clients come, fail, retry and cancel, but no message is lost and no engine dies. */
export type Weather = "calm" | "rough";
const tasks = ["mail", "resize", "bill"];
/** Some worlds have limits, on a key in the metadata. */
const policies: Readonly<Record<string, TaskPolicies>> = {
  mail: { concurrency: parseConcurrency([{ key: "metadata.of", max: 1 }, { max: 3 }], "mail") },
  resize: { concurrency: parseConcurrency({ key: "metadata.of", max: 2, strategy: "cancel-in-progress" }, "resize") },
  bill: { slots: 2, rateLimits: parseRateLimits({ key: "metadata.of", limit: 2, per: "15s" }, "bill") },
};

/** Clients, a stream, engines and workers, moved by one seeded generator. */
export class World {
  readonly random: Random;
  readonly weather: Weather;
  now = 1_000_000;
  readonly stream = new ModelStream();
  readonly checks: Checks;
  readonly client: ModelClient;
  readonly engines: ModelEngine[];
  workers: ModelWorker[] = [];
  /** Messages on their way; any may overtake any. */
  readonly network: (() => void)[] = [];
  readonly ids: string[];
  epoch = 0;
  /** Whether a clock was ever wrong. */
  hasSkew = false;
  /** As they are stored. */
  pauses: Pauses = noPauses;
  /** Rate limits as they are stored, and by which leader. */
  readonly rates = new Map<string, { readonly rate: StoredRate; readonly epoch: number }>();
  readonly policies: Readonly<Record<string, TaskPolicies>>;
  readonly options: SchedulerOptions;
  #workerCount = 0;
  #isHealed = false;
  #known = new Set<string>();

  constructor(seed: number, weather: Weather) {
    this.random = new Random(seed);
    this.weather = weather;
    this.policies = [0, 1, 2, 6].includes(seed % 7) ? policies : {};
    const hasLarge = [1, 2, 4, 5, 8, 10].includes(seed % 11);
    // So that entries which stay for the sake of their inputs are moved, however few runs are kept.
    this.options = hasLarge ? { ...simulatedOptions, singlePurges: 0 } : simulatedOptions;
    this.checks = new Checks(this);
    this.engines = [0, 1, 2].map(
      () => new ModelEngine(this.stream, this.options, (engine, commands) => this.checks.onCommands(engine, commands)),
    );
    const count = 4 + this.random.int(30);
    this.ids = Array.from({ length: count }, (_, i) => `${this.random.pick(tasks)}/${i}`);
    this.client = new ModelClient(this, tasks, [1, 2, 4].includes(seed % 5), hasLarge);
    for (let i = 0; i < 2; i++) this.#addWorker();
    this.#elect();
  }
  get leaders(): ModelEngine[] {
    return this.engines.filter((e) => e.isAlive && e.state.isLeading);
  }
  get isRough(): boolean {
    return this.weather === "rough";
  }

  /** One thing happens, then everything is checked. */
  act(): void {
    this.now += this.random.int(this.random.chance(0.02) ? 3_000 : 120);
    this.#clocks();
    const x = this.random.next();
    if (x < 0.14) this.client.act(x < 0.11);
    else if (x < 0.36) this.#readSome();
    else if (x < 0.5) this.#carryOut();
    else if (x < 0.65) this.#deliver();
    else if (x < 0.83) this.#work();
    else if (x < 0.96) this.#tick();
    else if (x < 0.975) this.#ask();
    else this.#fault();
    this.checks.afterStep();
  }
  /** No more faults: everybody lives, talks and works until nothing is left to do. */
  heal(): void {
    this.#isHealed = true;
    for (const engine of this.engines) {
      engine.skewMs = 0;
      if (!engine.isAlive) engine.restart(this.now);
      else if (engine.deposedAt !== undefined) engine.stepDown(this.now);
    }
    for (const worker of this.workers) {
      worker.isConnected = true;
      worker.isHung = false;
      worker.isQuiet = false;
      worker.forgetOne(this.random);
    }
    this.#addWorker(tasks);
    if (this.leaders.length === 0) this.#elect();
    for (const leader of this.leaders) this.#storePauses(leader, noPauses);
  }
  settle(): void {
    this.now += 200;
    this.#clocks();
    while (this.network.length > 0) this.network.shift()!();
    for (const engine of this.engines) {
      engine.read(100, this.now);
      engine.give({ type: "tick" }, this.now);
      this.#pings(engine);
      while (engine.outbox.length > 0) this.#execute(engine, engine.outbox.shift()!);
    }
    for (const worker of this.workers) {
      while (worker.isAlive && worker.executing.size > 0) worker.finishOne(this.random, this.now);
      this.#publish(worker);
      this.#beat(worker);
    }
    this.checks.afterStep();
  }

  /** Promises that rest on time: who is unanswered, who was deposed, who beats. */
  #clocks(): void {
    for (const engine of this.engines) {
      if (!engine.isAlive) continue;
      for (const [batch, { worker, sentAt }] of engine.unanswered) {
        if (!this.isRough || this.now - sentAt < 2_000) continue;
        engine.unanswered.delete(batch);
        engine.give({ type: "unacknowledged", id: worker, batch }, this.now);
      }
      // The lease is gone for longer than its time to live: even the slowest engine knows it by now.
      if (engine.deposedAt !== undefined && this.now - engine.deposedAt > 5_000) engine.stepDown(this.now);
    }
    for (const worker of this.workers) if (this.now - worker.lastBeatAt > 4_000) this.#beat(worker);
    if (this.leaders.every((e) => e.deposedAt !== undefined)) this.#elect();
  }
  #elect(): void {
    const able = this.engines.filter((e) => e.isAlive && !e.state.isLeading);
    if (able.length === 0) return;
    const engine = this.random.pick(able);
    while (!this.isRough && this.network.length > 0) this.network.shift()!();
    for (const other of this.leaders) other.deposedAt ??= this.now;
    engine.read(Number.POSITIVE_INFINITY, this.now);
    const [before] = this.leaders;
    this.epoch += 1 + this.random.int(3);
    const isClean =
      before !== undefined &&
      before.outbox.length === 0 &&
      before.isCaughtUp &&
      !this.isRough &&
      before.unanswered.size === 0;
    const ledger = isClean
      ? [...before.state.workers.values()].flatMap((w) =>
          w
            .assignments()
            .filter((a) => a.run !== undefined)
            .map((a) => ({ key: a.key, turn: a.turn, worker: w.id })),
        )
      : undefined;
    if (before !== undefined && !this.isRough) before.stepDown(this.now);
    engine.give({ type: "pauses", pauses: this.pauses }, this.now);
    engine.give({ type: "rates", rates: [...this.rates.values()].map(({ rate }) => rate) }, this.now);
    engine.give({ type: "lead", epoch: this.epoch, knownWorkers: [...this.#known], ledger }, this.now);
    this.#known = new Set(this.workers.filter((w) => w.isAlive).map((w) => w.id));
    for (const worker of this.workers) this.#hearEpoch(worker);
    // In a calm world all workers answer well before the leader would go on without them; it ticks meanwhile.
    while (!this.isRough && this.network.length > 0) {
      this.network.shift()!();
      engine.give({ type: "tick" }, this.now);
    }
  }
  #hearEpoch(worker: ModelWorker): void {
    const { epoch } = this;
    this.#send(() => {
      if (!worker.isAlive || !worker.isConnected || worker.isHung) return;
      worker.epoch = Math.max(worker.epoch, epoch);
      this.#register(worker);
    });
  }
  #addWorker(all?: readonly string[]): void {
    const { random } = this;
    const some = tasks.filter(() => random.chance(0.6));
    const worker = new ModelWorker(
      `w${++this.#workerCount}`,
      (this.policies === policies ? 2 : 1) + random.int(3),
      all ?? (some.length === 0 ? [random.pick(tasks)] : some),
      this.policies,
    );
    this.workers.push(worker);
    this.#known.add(worker.id);
    this.#register(worker);
  }
  #register(worker: ModelWorker): void {
    const message = worker.registration();
    worker.lastBeatAt = this.now;
    this.#toLeader({ type: "register", message });
  }
  #beat(worker: ModelWorker): void {
    if (!worker.isAlive || !worker.isConnected || worker.isHung) return;
    worker.lastBeatAt = this.now;
    const message = worker.beat();
    this.#send(() => {
      const leader = this.#aLeader();
      if (leader === undefined) return;
      if (leader.state.workers.get(worker.id)?.isRegistered !== true) this.#register(worker);
      else leader.give({ type: "heartbeat", message }, this.now);
    });
  }
  #aLeader(): ModelEngine | undefined {
    const { leaders } = this;
    return leaders.length === 0 ? undefined : this.random.pick(leaders);
  }
  #toLeader(event: SchedulerEvent): void {
    this.#send(() => this.#aLeader()?.give(event, this.now));
  }
  #send(message: () => void): void {
    this.network.push(message);
  }
  /** In a calm world messages keep their order and none is lost. */
  #deliver(): void {
    if (this.network.length === 0) return;
    const index = this.isRough && this.random.chance(0.3) ? this.random.int(this.network.length) : 0;
    const [message] = this.network.splice(index, 1);
    const x = this.isRough ? this.random.next() : 1;
    if (x < 0.03) return;
    message!();
    if (x < 0.06) message!();
  }
  #readSome(): void {
    const engine = this.random.pick(this.engines);
    if (engine.isAlive) engine.read(1 + this.random.int(12), this.now);
  }
  #tick(): void {
    const engine = this.random.chance(0.8) ? this.#aLeader() : this.random.pick(this.engines);
    if (engine?.isAlive !== true) return;
    engine.give({ type: "tick" }, this.now);
    if (this.random.chance(0.2)) this.#pings(engine);
  }
  #pings(engine: ModelEngine): void {
    if (!engine.state.isLeading) return;
    for (const id of [...engine.state.workers.keys()]) {
      const worker = this.workers.find((w) => w.id === id);
      if (worker === undefined || !worker.isAlive || !worker.isConnected)
        engine.give({ type: "unreachable", id }, this.now);
      else if (!worker.isHung) engine.give({ type: "pong", id }, this.now);
    }
  }
  #carryOut(): void {
    const busy = this.engines.filter((e) => e.outbox.length > 0);
    if (busy.length === 0) return;
    const engine = this.random.pick(busy);
    const index = this.isRough && this.random.chance(0.2) ? this.random.int(engine.outbox.length) : 0;
    const [command] = engine.outbox.splice(index, 1);
    this.#execute(engine, command!);
  }
  #execute(engine: ModelEngine, command: Command): void {
    if (command.type === "append") this.stream.writeOutcomes("engine", `e${engine.state.epoch}`, command.outcomes);
    else if (command.type === "compact") this.#compact(engine, command);
    else if (command.type === "purge") this.#purge(engine, command.filter, command.keepFrom);
    else if (command.type === "assign") this.#assign(engine, command.worker, snapshotOf(command));
    else if (command.type === "storeRates") this.#storeRates(engine, command.rates);
    else if (command.type === "dropRates") for (const id of command.ids) this.rates.delete(id);
    else if (command.type === "cancelOn") {
      const worker = this.workers.find((w) => w.id === command.worker);
      this.#send(() => {
        if (worker?.isAlive && worker.isConnected) for (const { key, turn } of command.runs) worker.stop(key, turn);
      });
    }
  }
  #storeRates(engine: ModelEngine, rates: Extract<Command, { type: "storeRates" }>["rates"]): void {
    const { epoch, isLeading } = engine.state;
    if (!isLeading) return;
    const stored = rates.flatMap(({ id, perMs, uses, units }) => {
      const there = this.rates.get(id);
      if (there !== undefined && there.epoch > epoch) return [];
      this.rates.set(id, { rate: { id, perMs, uses }, epoch });
      return [{ id, units }];
    });
    engine.give({ type: "ratesStored", rates: stored }, this.now);
  }
  #compact(engine: ModelEngine, command: Extract<Command, { type: "compact" }>): void {
    const { task, name, isBundle, expectSeq, runs } = command;
    const left = runs.map(({ key, inputSeq, entry }) => {
      const input = inputSeq === 0 ? undefined : this.stream.singleOf(key)?.entry.input;
      return { id: splitKey(key).id, entry: input === undefined ? entry : { ...entry, input } };
    });
    const isWritten = isBundle
      ? this.stream.writeBundle(name, task, expectSeq, left)
      : this.stream.writeEntry(name, expectSeq, left[0]!.entry);
    if (!isWritten) engine.give({ type: "compactionRefused", task, name, expectSeq }, this.now);
  }
  /** The answer may be lost with its engine: the purge has happened all the same. */
  #purge(engine: ModelEngine, filter: PurgeFilter, keepFrom: number): void {
    this.stream.purge(filter, keepFrom);
    if (this.isRough && !this.#isHealed && this.random.chance(0.1)) return void this.#crash(engine);
    engine.give({ type: "purged", filter, keepFrom }, this.now);
  }
  #assign(engine: ModelEngine, id: string, assigned: Assigned): void {
    const worker = this.workers.find((w) => w.id === id);
    const { state } = engine;
    engine.unanswered.set(assigned.batch, { worker: id, sentAt: this.now });
    this.#send(() => {
      if (worker === undefined || !worker.isAlive || !worker.isConnected || worker.isHung) return;
      const refused = worker.take(assigned, this.now);
      this.checks.limits.onRefused(assigned, refused);
      this.checks.onTaken(worker);
      this.#send(() => {
        if (!engine.isAlive || engine.state !== state || !engine.unanswered.delete(assigned.batch)) return;
        engine.give({ type: "assigned", id, batch: assigned.batch, refused }, this.now);
      });
    });
  }
  #work(): void {
    const { random } = this;
    const worker = random.pick(this.workers);
    if (!worker.isAlive) return;
    if (worker.executing.size > 0 && random.chance(0.5) && !worker.isHung) this.#finishOne(worker);
    else this.#publish(worker);
  }
  /** Some say at once that a slot is free. */
  #finishOne(worker: ModelWorker): void {
    const ended = worker.finishOne(this.random, this.now);
    if (worker.isConnected && this.random.chance(0.5))
      this.#toLeader({ type: "ended", id: worker.id, attempts: [ended] });
  }
  /** What ended goes to the log as one entry. */
  #publish(worker: ModelWorker): void {
    if (!worker.isAlive || !worker.isConnected || worker.unreported.length === 0) return;
    const outcomes = worker.unreported.splice(0).map((u) => u.outcome);
    this.stream.writeOutcomes("worker", worker.id, outcomes);
  }
  #ask(): void {
    const { random } = this;
    const key = random.pick(this.ids);
    if (random.chance(0.2)) this.#pause();
    else if (random.chance(0.15))
      this.#toLeader({ type: "reschedule", keys: [key], dueAt: this.now + random.int(4_000) });
    else if (random.chance(0.5)) this.#toLeader({ type: "cancel", keys: [key], reason: "not wanted any more" });
    else this.#toLeader({ type: "waiter", key, inbox: `ask-${key}` });
  }
  /** A leader stores a pause, or the end of one, and knows it at once; one that was deposed may still think otherwise. */
  #pause(): void {
    const { random } = this;
    const leader = this.leaders.find((engine) => engine.deposedAt === undefined);
    if (leader === undefined) return;
    const x = random.next();
    const target = x < 0.5 ? { task: random.pick(tasks) } : x < 0.8 ? { worker: random.pick(this.workers).id } : {};
    this.#storePauses(leader, changePauses(this.pauses, target, random.chance(0.4), this.now));
  }
  #storePauses(leader: ModelEngine, pauses: Pauses): void {
    this.pauses = pauses;
    leader.give({ type: "pauses", pauses }, this.now);
  }
  #fault(): void {
    const { random } = this;
    const worker = random.pick(this.workers);
    const x = random.next();
    if (x < 0.1 && this.workers.length < 5) this.#addWorker();
    else if (x < 0.14) this.#retire(worker);
    else if (x < 0.2) worker.isQuiet = !worker.isQuiet;
    else if (x < 0.24 && !this.isRough) this.#elect();
    else if (!this.isRough) return;
    else if (x < 0.26) worker.isAlive = false;
    else if (x < 0.28) worker.forgetOne(random);
    else if (x < 0.45) worker.isConnected = !worker.isConnected;
    else if (x < 0.55) worker.isHung = !worker.isHung;
    else if (x < 0.62) this.#crash(random.pick(this.engines));
    else if (x < 0.8) this.#restartOne();
    else if (x < 0.84) this.#elect();
    else if (x < 0.88) random.pick(this.engines).skewMs = this.#skew();
    else this.workers = this.workers.filter((w) => w.isAlive || random.chance(0.7));
    if (this.workers.length === 0) this.#addWorker();
  }
  #skew(): number {
    this.hasSkew = true;
    return this.random.pick([0, 0, 3_600_000, -3_600_000, 40_000]);
  }
  /** Gives back what it has and leaves. */
  #retire(worker: ModelWorker): void {
    if (!worker.isConnected || worker.isHung || !worker.isAlive) return;
    while (worker.executing.size > 0) worker.finishOne(this.random, this.now);
    this.#publish(worker);
    worker.isAlive = false;
    this.#known.delete(worker.id);
    this.#toLeader({ type: "leave", id: worker.id });
  }
  #crash(engine: ModelEngine): void {
    engine.crash();
    engine.state.isLeading = false;
  }
  #restartOne(): void {
    const dead = this.engines.find((e) => !e.isAlive);
    dead?.restart(this.now);
  }
}
