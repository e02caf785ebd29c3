import { parseCron } from "../../src/domain/cron.ts";
import type { CronRecord } from "../../src/domain/cron-record.ts";
import { changePauses, noPauses, type Pauses } from "../../src/domain/pauses.ts";
import type { Command } from "../../src/matching/commands.ts";
import { declaredOver, pausedAs } from "../../src/reactions/cron-record.ts";
import type { SchedulerEvent } from "../../src/scheduler/events.ts";
import { Checks } from "./checks.ts";
import { type Climate, climateOf } from "./climate.ts";
import { Deeds } from "./deeds.ts";
import { Elections } from "./elections.ts";
import { Erasures } from "./erasures.ts";
import { Faults } from "./faults.ts";
import { Forger } from "./forger.ts";
import { LateWrites } from "./late-writes.ts";
import { Leaps } from "./leaps.ts";
import { ModelBucket } from "./model-bucket.ts";
import { ModelClient } from "./model-client.ts";
import { ModelEngine } from "./model-engine.ts";
import { ModelStream } from "./model-stream.ts";
import type { ModelWorker } from "./model-worker.ts";
import { Network } from "./network.ts";
import { Processes } from "./processes.ts";
import { Queries } from "./queries.ts";
import { Random } from "./random.ts";
import { handlerTask } from "./reaction-checks.ts";
import { Staff } from "./staff.ts";

/** Clients, a stream, engines and workers, moved by one seeded generator. */
export class World {
  readonly random: Random;
  readonly climate: Climate;
  now = 1_000_000;
  readonly stream = new ModelStream(() => this.now);
  readonly stored = new ModelBucket();
  readonly network: Network;
  readonly checks: Checks;
  readonly client: ModelClient;
  readonly engines: ModelEngine[];
  workers: ModelWorker[] = [];
  readonly elections = new Elections(this);
  readonly deeds = new Deeds(this);
  readonly staff = new Staff(this);
  readonly faults = new Faults(this);
  readonly leaps = new Leaps(this);
  readonly processes = new Processes(this);
  readonly lateWrites = new LateWrites(this);
  readonly queries = new Queries(this);
  readonly forger = new Forger(this);
  readonly erasures = new Erasures(this);
  readonly ids: string[];
  isHealed = false;
  /** Batches that were not acknowledged in time, with the epoch of their leader. */
  readonly givenUp = new Set<string>();
  /** Time during which somebody led. */
  ledMs = 0;

  constructor(seed: number) {
    this.random = new Random(seed);
    this.climate = climateOf(seed);
    const { options, weather, hasTwin } = this.climate;
    this.network = new Network(this.random, weather === "rough");
    this.checks = new Checks(this);
    const observe = (engine: ModelEngine, commands: readonly Command[]) => this.checks.onCommands(engine, commands);
    this.engines = [0, 1, 2].map((i) => new ModelEngine(this.stream, options, observe, hasTwin && i < 2));
    for (const engine of this.engines)
      engine.onOrphans = (commands, epoch) => this.deeds.abandon(engine, commands, epoch);
    const count = 4 + this.random.int(30);
    this.ids = Array.from({ length: count }, (_, i) => `${this.#someTask()}/${i}`);
    if (this.climate.isPoisoned) this.processes.poison(this.ids.slice(0, 1 + this.random.int(2)));
    this.client = new ModelClient(this);
    for (let i = 0; i < 2; i++) this.staff.add();
    if (this.climate.hasReactions && !this.climate.hasWildClocks) this.stored.putCron(this.#often());
    this.elections.elect();
  }
  #often(): CronRecord {
    const rule = parseCron("*/20 * * * * *", handlerTask, { name: "often", catchUp: "all" }, "simulation");
    return declaredOver(undefined, { rule, task: handlerTask, origin: "api" }, this.now);
  }
  /** What was due before is fired all the same. */
  #endSchedules(): void {
    for (const [name, { record }] of this.stored.crons) {
      this.stored.putCron(pausedAs(record, true, this.now));
      for (const leader of this.leaders)
        leader.give({ type: "cronChanged", name, there: this.stored.crons.get(name) }, this.now);
    }
  }
  #someTask(): string {
    return this.climate.isContended && this.random.chance(0.7) ? "mail" : this.random.pick(this.climate.tasks);
  }
  get hasErasures(): boolean {
    return this.climate.hasErasures;
  }
  get leaders(): ModelEngine[] {
    return this.engines.filter((e) => e.isAlive && e.state.isLeading);
  }
  aLeader(): ModelEngine | undefined {
    const { leaders } = this;
    return leaders.length === 0 ? undefined : this.random.pick(leaders);
  }
  /** Whoever believes to lead hears what is said to the leader. */
  toLeader(event: SchedulerEvent): void {
    this.network.send(() => {
      for (const leader of this.leaders) leader.give(event, this.now);
    });
  }
  get isRough(): boolean {
    return this.climate.weather === "rough";
  }

  /** One thing happens, then everything is checked. */
  act(): void {
    this.advance(this.random.int(this.random.chance(0.02) ? 3_000 : 120));
    if (this.climate.hasHours && this.random.chance(0.01)) this.leaps.leap();
    if (this.climate.hasTwin && this.random.chance(0.3)) this.queries.ask();
    if (this.climate.hasLarge && this.random.chance(0.008)) this.forger.act();
    if (this.climate.hasErasures) this.erasures.act();
    const x = this.random.next();
    if (x < 0.14) this.client.act(x < 0.11);
    else if (x < 0.36) this.#readSome();
    else if (x < 0.5) this.deeds.carryOutOne();
    else if (x < 0.65) this.network.deliver();
    else if (x < 0.83) this.staff.workSome();
    else if (x < 0.96) this.#tick();
    else if (x < 0.975) this.#ask();
    else this.faults.happen();
    this.checks.afterStep();
  }
  /** No more faults: everybody lives, talks and works until nothing is left to do. */
  heal(): void {
    this.isHealed = true;
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
    this.staff.add(this.climate.executed);
    if (this.leaders.length === 0) this.elections.elect();
    for (const leader of this.leaders) this.#storePauses(leader, noPauses);
    this.#endSchedules();
  }
  settle(): void {
    this.advance(200);
    this.network.drain();
    for (const engine of this.engines) {
      engine.read(100, this.now);
      engine.give({ type: "tick" }, this.now);
      this.pings(engine);
      this.deeds.carryOutAll(engine);
    }
    this.erasures.finishAll();
    for (const worker of this.workers) {
      this.staff.finishAll(worker);
      this.staff.publish(worker);
      this.staff.beat(worker);
    }
    this.checks.afterStep();
  }

  /** Time passes, and with it come due the promises that rest on it: who is unanswered, who was deposed, who beats. */
  advance(ms: number, isElecting: "nobody is elected" | "somebody leads" = "somebody leads"): void {
    this.now += ms;
    if (this.leaders.length > 0) this.ledMs += ms;
    this.lateWrites.landDue();
    this.processes.restart();
    for (const engine of this.engines) {
      if (!engine.isAlive) continue;
      for (const [batch, { worker, sentAt }] of engine.unanswered) {
        const isDead = this.workers.every(({ id, isAlive }) => id !== worker || !isAlive);
        if (!(this.isRough || isDead) || this.now - sentAt < 2_000) continue;
        engine.unanswered.delete(batch);
        this.givenUp.add(`${engine.state.epoch} ${batch}`);
        engine.give({ type: "unacknowledged", id: worker, batch }, this.now);
      }
      // The lease is gone for longer than its time to live: even the slowest engine knows it by now.
      if (engine.deposedAt !== undefined && this.now - engine.deposedAt > 5_000) engine.stepDown(this.now);
    }
    for (const worker of this.workers) {
      this.staff.watch(worker);
      if (this.now - worker.lastBeatAt > 4_000) this.staff.beat(worker);
    }
    if (isElecting === "somebody leads" && this.leaders.every((e) => e.deposedAt !== undefined)) this.elections.elect();
  }
  #readSome(): void {
    const engine = this.random.pick(this.engines);
    if (engine.isAlive) engine.read(1 + this.random.int(12), this.now);
  }
  #tick(): void {
    const engine = this.random.chance(0.8) ? this.aLeader() : this.random.pick(this.engines);
    if (engine?.isAlive !== true) return;
    engine.give({ type: "tick" }, this.now);
    if (!this.random.chance(0.2)) return;
    this.pings(engine);
    this.elections.remember(engine);
  }
  pings(engine: ModelEngine): void {
    if (!engine.state.isLeading) return;
    for (const id of [...engine.state.workers.keys()]) {
      const worker = this.workers.find((w) => w.id === id);
      if (worker === undefined || !worker.isAlive || !worker.isConnected)
        engine.give({ type: "unreachable", id, isDead: worker?.isAlive === false && worker.isNear }, this.now);
      else if (!worker.isHung) engine.give({ type: "pong", id }, this.now);
    }
  }
  #ask(): void {
    const { random } = this;
    const key = random.pick(this.ids);
    if (random.chance(0.2)) this.#pause();
    else if (random.chance(0.15))
      this.toLeader({ type: "reschedule", keys: [key], dueAt: this.now + random.int(4_000) });
    else if (random.chance(0.5)) this.#cancel(key);
    else this.toLeader({ type: "waiter", key, inbox: `ask-${key}` });
  }
  /** Somebody wants an end of it, and hears nothing. */
  cancelOneThatExecutes(): void {
    const executing = this.workers.flatMap((worker) => (worker.isAlive ? [...worker.executing.values()] : []));
    if (executing.length > 0) this.#cancel(this.random.pick(executing).key);
  }
  #cancel(key: string): void {
    this.checks.promises.onCancelAsked(key);
    this.network.send(() => {
      for (const leader of this.leaders) {
        leader.give({ type: "cancel", keys: [key], reason: "not wanted any more" }, this.now);
        this.checks.cancels.onAsked(leader, key);
      }
    });
  }
  /** A leader stores a pause, or the end of one, and knows it at once; one that was deposed may still think otherwise. */
  #pause(): void {
    const { random } = this;
    const leader = this.leaders.find((engine) => engine.deposedAt === undefined);
    if (leader === undefined) return;
    const x = random.next();
    const target =
      x < 0.5 ? { task: random.pick(this.climate.tasks) } : x < 0.8 ? { worker: random.pick(this.workers).id } : {};
    this.#storePauses(leader, changePauses(this.stored.pauses, target, random.chance(0.4), this.now));
  }
  #storePauses(leader: ModelEngine, pauses: Pauses): void {
    this.stored.pauses = pauses;
    leader.give({ type: "pauses", pauses }, this.now);
  }
}
