import { partsOf } from "./deeds.ts";
import { type Attempt, ModelWorker } from "./model-worker.ts";
import type { World } from "./world.ts";

/** The workers: who comes, says that it lives, executes, and goes. */
export class Staff {
  readonly #world: World;
  #count = 0;

  constructor(world: World) {
    this.#world = world;
  }
  add(all?: readonly string[]): void {
    const { random, climate, workers, processes } = this.#world;
    const { executed: tasks } = climate;
    const some = tasks.filter(() => random.chance(0.6));
    const host = processes.hostFor();
    const worker = new ModelWorker(
      `w${++this.#count}`,
      (climate.hasLimits ? 2 : 1) + random.int(3),
      all ?? (some.length === 0 ? [random.pick(tasks)] : some),
      climate,
      host,
      host && processes.nameOf(host),
    );
    worker.skewMs = [0, 3_600_000, -600_000][this.#count % 3]!;
    workers.push(worker);
    this.register(worker);
  }
  register(worker: ModelWorker): void {
    const message = worker.registration();
    const askedAt = this.#world.now;
    worker.lastBeatAt = askedAt;
    this.#world.network.send(() => {
      const { leaders, now } = this.#world;
      for (const leader of leaders) {
        leader.give({ type: "register", message }, now);
        this.#world.elections.remember(leader);
        this.#answer(worker, leader.state.epoch, message.heard ?? 0, askedAt);
      }
      const leader = leaders.find((e) => e.deposedAt === undefined);
      if (leader !== undefined) for (const task of message.tasks) this.#world.stored.definitions.set(task.name, task);
    });
  }
  /** Who hears of a new leader by its answer registers again: until then it may have taken runs from the one before. */
  #answer(worker: ModelWorker, epoch: number, heard: number, askedAt: number): void {
    this.#world.network.send(() => {
      if (!worker.isListening || epoch < worker.registeredWith) return;
      worker.answeredAt = Math.max(worker.answeredAt, askedAt);
      if (epoch === worker.registeredWith) return;
      if (heard >= epoch) worker.registeredWith = epoch;
      else {
        worker.epoch = Math.max(worker.epoch, epoch);
        this.register(worker);
      }
    });
  }
  beat(worker: ModelWorker): void {
    if (!worker.isListening) return;
    const askedAt = this.#world.now;
    worker.lastBeatAt = askedAt;
    const message = worker.beat();
    this.#world.network.send(() => {
      for (const leader of this.#world.leaders) {
        if (leader.state.workers.get(worker.id)?.isRegistered !== true) this.register(worker);
        else {
          leader.give({ type: "heartbeat", message }, this.#world.now);
          this.#answer(worker, leader.state.epoch, 0, askedAt);
        }
      }
    });
  }
  /** Who is cut off, and what has to stop. A process that hangs does nothing, and when it goes on it does this first. */
  watch(worker: ModelWorker): void {
    const { now, random, checks } = this.#world;
    worker.cutOffAt = worker.isListening ? undefined : (worker.cutOffAt ?? now);
    if (!worker.isAlive || worker.isHung) return;
    worker.minds(now);
    for (const attempt of worker.overdue(now)) {
      if (attempt.stop === "cancel") checks.cancels.heard++;
      worker.finishOne(random, now, attempt);
    }
  }
  /** The code of an attempt begins, and its worker says so soon. */
  begin(worker: ModelWorker, attempt: Attempt): void {
    const { now, checks, random } = this.#world;
    worker.begin(attempt, now);
    checks.limits.onBegun(attempt);
    if (random.chance(0.7)) this.beat(worker);
  }
  /** A worker ends something, or reports what has ended. */
  workSome(): void {
    const { random, workers, climate } = this.#world;
    const worker = random.pick(workers);
    if (!worker.isAlive) return;
    if (worker.waiting.size > 0 && random.chance(0.1)) worker.giveBack(random, this.#world.now);
    const ending = climate.isContended ? 0.1 : 0.5;
    if (worker.executing.size > 0 && random.chance(ending) && !worker.isHung) this.#finishOne(worker);
    else this.publish(worker);
  }
  /** Some say at once that a slot is free. */
  #finishOne(worker: ModelWorker): void {
    const { random, now, processes } = this.#world;
    const poisonous = [...worker.executing.values()].find(({ key }) => processes.isPoison(key));
    const attempt = poisonous !== undefined && random.chance(0.5) ? poisonous : worker.pickOne(random);
    if (processes.isPoison(attempt.key)) {
      processes.dieOf(worker, attempt.key, attempt.origin);
      return;
    }
    if (attempt.startedAt === 0) this.begin(worker, attempt);
    if (random.chance(0.3)) return;
    const ended = worker.finishOne(random, now, attempt);
    if (worker.isConnected && random.chance(0.5))
      this.#world.toLeader({ type: "ended", id: worker.id, attempts: [ended] });
  }
  finishAll(worker: ModelWorker): void {
    const { random, now, processes } = this.#world;
    while (worker.isAlive && worker.executing.size > 0) {
      const attempt = worker.pickOne(random);
      if (attempt.startedAt === 0) this.begin(worker, attempt);
      if (processes.isPoison(attempt.key)) processes.dieOf(worker, attempt.key, attempt.origin);
      else worker.finishOne(random, now, attempt);
    }
  }
  /** What ended goes to the log as one entry. */
  publish(worker: ModelWorker): void {
    if (!worker.isAlive || !worker.isConnected || worker.unreported.length === 0) return;
    const outcomes = worker.unreported.splice(0).map((u) => u.outcome);
    const most = this.#world.climate.isNarrow ? 2 : Number.POSITIVE_INFINITY;
    for (const part of partsOf(outcomes, most)) this.#world.stream.writeOutcomes("worker", worker.id, part);
  }
  /** Gives back what it has and leaves. */
  retire(worker: ModelWorker): void {
    if (!worker.isListening) return;
    worker.giveBack(this.#world.random, this.#world.now);
    this.finishAll(worker);
    if (!worker.isAlive) return;
    this.publish(worker);
    worker.isAlive = false;
    worker.hasLeft = true;
    this.#world.toLeader({ type: "leave", id: worker.id });
  }
}
