import type { LiveRun } from "../../src/fold/live-run.ts";
import type { FoldedEntry } from "../../src/fold/log-events.ts";
import type { Command } from "../../src/matching/commands.ts";
import { largestCarriedInput } from "../../src/wire/carried-input.ts";
import type { ModelEngine } from "./model-engine.ts";
import type { World } from "./world.ts";

/**
 * Stores entries over those of live runs, as whoever may store runs can: with another input, or as if an engine had moved them. A leader that has
 * read the run puts it back; what a log tells whose leader has died before that is left out of this world.
 */
export class Forger {
  readonly #world: World;
  forged = 0;

  constructor(world: World) {
    this.#world = world;
  }
  act(): void {
    const { random, leaders, stream, now } = this.#world;
    const leader = leaders.find((engine) => engine.deposedAt === undefined);
    leader?.read(Number.POSITIVE_INFINITY, now);
    if (leader === undefined || !leader.state.fold.isWhole) return;
    const known = [...leader.state.live.values()].filter(
      ({ key, seq, input }) => input !== undefined && stream.entrySeqOf(key) === seq,
    );
    if (known.length === 0) return;
    const run = random.pick(known);
    stream.writeEntry(run.key, run.seq, random.chance(0.5) ? this.#other() : this.#moved(run));
    this.forged++;
    const forged = stream.lastSeq;
    for (let i = 0; i < 4 && stream.entrySeqOf(run.key) === forged; i++) this.#look(leader, run);
  }
  /** The leader reads, and what it answers is stored at once. */
  #look(leader: ModelEngine, { key, task }: LiveRun): void {
    const { now, deeds } = this.#world;
    leader.read(Number.POSITIVE_INFINITY, now);
    leader.give({ type: "heard", at: now, gaps: leader.state.fold.gaps }, now);
    leader.give({ type: "tick" }, now);
    const isAbout = (command: Command) =>
      (command.type === "compact" && command.name === key && command.task === task) ||
      (command.type === "purge" &&
        command.filter !== "outcomes" &&
        "key" in command.filter &&
        command.filter.key === key);
    const answers = leader.outbox.filter(isAbout);
    for (const answer of answers) {
      leader.outbox.splice(leader.outbox.indexOf(answer), 1);
      deeds.execute(leader, answer);
    }
  }
  #other(): FoldedEntry {
    const { now } = this.#world;
    const input = new Uint8Array(largestCarriedInput + 2);
    return { form: 0, priority: 3, createdAt: now, dueAt: 0, scheduleTimeoutMs: 1, inbox: "", extra: undefined, input };
  }
  #moved({ origin }: LiveRun): FoldedEntry {
    const asOf = this.#world.stream.lastSeq;
    const state = { asOf, origin, turn: 7, attempt: 7, lost: 0, dueAt: 0, readyAt: 0, retrying: false, history: [] };
    return { ...this.#other(), form: 1, extra: { state } };
  }
}
