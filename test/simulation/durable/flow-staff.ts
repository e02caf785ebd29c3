import type { TaskDeclaration } from "../../../src/wire/worker-messages.ts";
import type { ModelEngine } from "../model-engine.ts";
import { FlowAttempt, type Given, type Warm } from "./attempt.ts";
import { durable, type FlowWorld, tasks } from "./flow-world.ts";

interface FlowWorker {
  readonly id: string;
  readonly frames: Map<string, Warm>;
  lastBeatAt: number;
}

/** Workers and their attempts, some of which nobody knows of any more. */
export class FlowStaff {
  readonly #world: FlowWorld;
  readonly workers = new Map<string, FlowWorker>();
  readonly #dead = new Set<string>();
  attempts: FlowAttempt[] = [];
  #hired = 0;
  #begun = 0;

  constructor(world: FlowWorld) {
    this.#world = world;
  }
  readonly declared: readonly TaskDeclaration[] = tasks.map((name) => ({
    ...{ name, timeoutMs: 1, scheduleTimeoutMs: null, priority: 1, retries: 0, inputSchema: null, outputSchema: null },
    ...(name !== "leaf" && { durable }),
  }));
  hire(): void {
    const id = `w${++this.#hired}`;
    this.workers.set(id, { id, frames: new Map(), lastBeatAt: 0 });
    this.#register(id);
  }
  registerAll(): void {
    for (const id of this.workers.keys()) this.#register(id);
  }
  #register(id: string): void {
    const said = { v: 2 as const, id, name: id, slots: 20, labels: {}, runtime: "model", version: "0", quiet: false };
    for (const leader of this.#world.leaders) {
      const message = { ...said, tasks: this.declared, executing: this.#held(id), heard: leader.state.epoch };
      leader.give({ type: "register", message }, this.#world.now);
    }
  }
  #held(id: string) {
    return this.attempts
      .filter((one) => one.worker === id && one.phase !== "gone" && !one.isHidden)
      .map(({ key, turn, origin }) => ({ key, turn, origin, startedAt: 0 }));
  }
  beat({ id }: FlowWorker): void {
    const worker = this.workers.get(id)!;
    worker.lastBeatAt = this.#world.now;
    for (const leader of this.#world.leaders) {
      if (leader.state.workers.get(id)?.isRegistered !== true) this.#register(id);
      else {
        const message = { id, executing: this.#held(id), quiet: false, lagMs: 0 };
        leader.give({ type: "heartbeat", message }, this.#world.now);
      }
    }
  }
  beatAll(): void {
    for (const worker of this.workers.values()) if (this.#world.now - worker.lastBeatAt > 4_000) this.beat(worker);
  }
  ping(engine: ModelEngine): void {
    if (!engine.state.isLeading) return;
    for (const id of this.#dead)
      if (engine.state.workers.has(id)) engine.give({ type: "unreachable", id }, this.#world.now);
  }
  kill(id: string): void {
    for (const attempt of this.attempts) if (attempt.worker === id && !attempt.isHidden) attempt.phase = "gone";
    this.workers.delete(id);
    this.#dead.add(id);
    this.hire();
  }
  /** The attempt goes on, and its worker says no more that it has it. */
  hideOne(): void {
    const seen = this.attempts.filter(({ phase, isHidden }) => phase !== "gone" && !isHidden);
    if (seen.length > 0) this.#world.random.pick(seen).hide();
  }
  /** False when nobody is there who could take it. */
  take(id: string, given: Given): boolean {
    const worker = this.workers.get(id);
    if (worker === undefined) return false;
    const attempt = new FlowAttempt(this.#world, given, ++this.#begun, id, worker.frames.get(given.key));
    worker.frames.delete(given.key);
    if (!this.#world.isHealed && this.#world.random.chance(this.#world.mood.zombies)) attempt.hide();
    this.attempts.push(attempt);
    return true;
  }
  stepOne(): void {
    this.attempts = this.attempts.filter(({ phase }) => phase !== "gone");
    const { random } = this.#world;
    const able = this.attempts.filter(({ frozenUntil }) => frozenUntil <= this.#world.now);
    if (able.length === 0) return;
    const newest = able[Math.max(0, able.length - 1 - random.int(3))]!;
    (random.chance(this.#world.mood.late) ? random.pick(able) : newest).step();
  }
  /** Zombies stop, the others come as far as they can. */
  finishAll(): void {
    for (const attempt of this.attempts) if (attempt.isHidden) attempt.phase = "gone";
    for (let i = 0; i < 60; i++) for (const attempt of this.attempts) attempt.step();
    this.attempts = this.attempts.filter(({ phase }) => phase !== "gone");
  }
}
