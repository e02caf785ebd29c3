/** What is paused: it gets no new runs, and running ones continue. Also stored as a record. Units: epoch milliseconds */
export interface Pauses {
  /** Whether everything is paused. */
  readonly namespace: boolean;
  /** Names of paused tasks. */
  readonly tasks: readonly string[];
  /** Paused workers, by name or by id. */
  readonly workers: readonly string[];
  /** When a task, or the namespace (`*`), was resumed: the time before does not count as waiting. */
  readonly resumedAt: Readonly<Record<string, number>>;
}

/** A task, the workers of a name or the one of an id, or, with neither, the whole namespace. */
export interface PauseTarget {
  /** Name of a task. */
  readonly task?: string | undefined;
  /** Name of workers, or the id of one. */
  readonly worker?: string | undefined;
}

export const noPauses: Pauses = { namespace: false, tasks: [], workers: [], resumedAt: {} };
export const wholeNamespace = "*";

/** When a task, or the whole namespace, was resumed last; 0 = never. Anybody may name a task `constructor`. */
export const resumedAt = (pauses: Pauses, name: string): number =>
  Object.hasOwn(pauses.resumedAt, name) ? pauses.resumedAt[name]! : 0;

/** Longer than any schedule timeout that somebody sets. */
const rememberedMs = 30 * 86_400_000;

/** The pauses after one more, or one less. */
export function changePauses(before: Pauses, { task, worker }: PauseTarget, isPaused: boolean, now: number): Pauses {
  if (worker !== undefined) return { ...before, workers: changed(before.workers, worker, isPaused) };
  const name = task ?? wholeNamespace;
  const wasPaused = task === undefined ? before.namespace : before.tasks.includes(task);
  const recent = Object.entries(before.resumedAt).filter(([, at]) => now - at < rememberedMs);
  const resumed = wasPaused && !isPaused ? [[name, now] as const] : [];
  return {
    ...before,
    ...(task === undefined ? { namespace: isPaused } : { tasks: changed(before.tasks, task, isPaused) }),
    resumedAt: Object.fromEntries([...recent, ...resumed]),
  };
}

function changed(names: readonly string[], name: string, isIn: boolean): readonly string[] {
  const others = names.filter((other) => other !== name);
  return isIn ? [...others, name] : others;
}
