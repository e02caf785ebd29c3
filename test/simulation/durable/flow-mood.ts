import type { Random } from "../random.ts";

/** What a world is like, so that each kind of trouble comes often enough. Without a unit: chances. */
export interface FlowMood {
  readonly zombies: number;
  readonly clients: number;
  readonly elections: number;
  readonly cancels: number;
  /** How often an attempt takes a step that is not among the newest, and how often an entry is moved. */
  readonly late: number;
  readonly moves: number;
  /** How often an engine does not read when it could. */
  readonly lag: number;
  /** How often one of two leaders reads nothing for a while, and the other moves what it has not read. */
  readonly deaf: number;
  /** How often minutes pass at once; and the most that passes otherwise. */
  readonly leaps: number;
  readonly paceMs: number;
  /** How often a leader does at once all that it can. */
  readonly spurts: number;
  /** Of runs that clients create. */
  readonly ids: readonly string[];
  readonly keepCount: number;
  readonly isTiny: boolean;
  /** Runs are erased at any time. */
  readonly hasErasures: boolean;
}

const few = ["1", "1", "2"];
const many = ["1", "2", "3", "4", "5", "6"];

export function moodOf(random: Random): FlowMood {
  const any: FlowMood = {
    zombies: random.pick([0.02, 0.05, 0.12]),
    clients: random.pick([0.05, 0.08, 0.12]),
    elections: random.pick([0.002, 0.006, 0.02]),
    cancels: random.pick([0, 0.05, 0.15]),
    late: random.pick([0.15, 0.4, 0.9]),
    moves: random.pick([0, 0.02, 0.08]),
    lag: random.pick([0, 0.5, 0.85]),
    deaf: random.pick([0, 0.4, 0.8]),
    leaps: random.pick([0, 0.01, 0.03]),
    paceMs: random.pick([150, 40]),
    spurts: random.pick([0, 0.02]),
    ids: random.pick([few, many]),
    keepCount: random.pick([0, 1, 4]),
    isTiny: random.chance(0.3),
    hasErasures: random.chance(0.4),
  };
  const x = random.next();
  // Runs are forgotten while somebody may still execute them.
  if (x < 0.25) return { ...any, zombies: 0.4, elections: 0, lag: 0, leaps: 0, paceMs: 40, keepCount: 0, isTiny: true };
  // Leaders come and go, and know less than they think.
  if (x < 0.55) {
    const leaders = { elections: 0.005, moves: 0.08, lag: 0, deaf: 0.9, leaps: 0.03, paceMs: 40, spurts: 0.12 };
    return { ...any, ...leaders, keepCount: 0, ids: many };
  }
  return any;
}
