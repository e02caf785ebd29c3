// When a schedule is due: 5 or 6 fields, in a time zone, and what happens to missed ticks.
import { Cron as Pattern } from "croner";
import { assertKnownOptions } from "./known-options.ts";
import { assertName } from "./names.ts";
import { assertOneOf, assertType } from "./option-values.ts";
import { latestTime } from "./time.ts";

/**
 * What becomes of ticks that were due while no engine lived: none of them, the newest, or all (the newest 1,000) are made up for. Ticks of
 * the last 15 s, and those that the engine which leads now has lived through as a standby, are never taken for missed.
 */
export type CatchUp = "none" | "last" | "all";

/** The options of `@Cron`, besides the expression. */
export interface CronOptions {
  /** Unique in the namespace. @default the name of the task */
  readonly name?: string | undefined;
  /** IANA time zone. @default "UTC" @example "Europe/Berlin" */
  readonly timezone?: string | undefined;
  /** Input of each run. @default undefined */
  readonly input?: unknown;
  /** Which ticks that were missed in an outage still run. @default "last" */
  readonly catchUp?: CatchUp | undefined;
}

/** A schedule as it is declared and stored. `input` is what JSON can write. */
export interface CronRule {
  readonly name: string;
  readonly expression: string;
  readonly timezone: string;
  readonly catchUp: CatchUp;
  readonly input?: unknown;
}

/** Who may change a schedule: the code of a worker, or callers of the API. */
export type CronOrigin = "code" | "api";

/** A schedule as queries return it. Times are epoch milliseconds, UTC. */
export interface CronInfo extends CronRule {
  /** The task that it runs. */
  readonly task: string;
  /** Whether it is declared in the code of a worker, or was created by the API. */
  readonly origin: CronOrigin;
  /** The worker whose code declares it. */
  readonly worker?: string;
  /** Whether its ticks are skipped until it is resumed. */
  readonly paused: boolean;
  /** All ticks up to here have been handled; 0 = none yet. */
  readonly lastTick: number;
  /** Undefined if the schedule is paused, or never due again. */
  readonly nextTick?: number;
}

const example = '@Cron("*/5 * * * *", { timezone: "Europe/Berlin" })';
const catchUps: readonly CatchUp[] = ["none", "last", "all"];
const known = ["name", "timezone", "input", "catchUp"];
const longestExpression = 500;
/** The longest input: it is stored with the schedule, and part of every list. Units: characters */
const longestInput = 65_536;

/** Fails: TypeError that names the value, the rule and an example */
export function parseCron(expression: unknown, task: string, options: CronOptions, where: string): CronRule {
  assertKnownOptions(options, { options: known, of: "a cron", where, example });
  const { name = task, timezone = "UTC", input, catchUp = "last" } = options;
  if (
    typeof expression !== "string" ||
    expression.length > longestExpression ||
    ![5, 6].includes(expression.trim().split(/\s+/).length)
  )
    throw new TypeError(
      `${where}: ${JSON.stringify(expression)?.slice(0, 200)} is not a valid schedule; write 5 fields (minute hour day month weekday) or 6 with seconds first, for example ${example}`,
    );
  assertType(
    typeof timezone === "string" && timezone.length <= 100,
    `${where}: timezone`,
    "an IANA time zone",
    timezone,
    example,
  );
  assertOneOf(catchUp, `${where}: catchUp`, catchUps);
  const rule = {
    name: assertName("cron", name, where),
    expression: expression.trim(),
    timezone,
    catchUp,
    ...(input !== undefined && { input: plainJson(input, where) }),
  };
  try {
    patternOf(rule).nextRun();
  } catch (error) {
    const reason = (error as Error).message.split(". ")[0];
    throw new TypeError(`${where}: "${expression}" in ${timezone}: ${reason}; for example ${example}`);
  }
  return rule;
}

/** The first tick after a time; undefined when there is none. In spring a tick in the gap comes at its end; in autumn one of the doubled hour comes once. */
export function nextTick(rule: CronRule, after: number): number | undefined {
  return after < latestTime ? patternOf(rule).nextRun(new Date(after))?.getTime() : undefined;
}

const graceMs = 15_000;
const mostCaughtUp = 1_000;

/**
 * The ticks after `lastTick` that are to be fired by now, oldest first; `missed` counts those that are given up, roughly
 * where there are thousands. None is that came after `livesSince`, however long the change of leaders took: an engine lived that was to fire
 * them.
 */
export function dueTicks(
  rule: CronRule,
  lastTick: number,
  now: number,
  livesSince = now,
): { readonly fire: readonly number[]; readonly upTo: number; readonly missed: number } {
  const ticks: number[] = [];
  let isCut = false;
  for (let at = nextTick(rule, lastTick); at !== undefined && at <= now; at = nextTick(rule, at)) {
    ticks.push(at);
    isCut = ticks.length > mostCaughtUp;
    if (isCut) break;
  }
  const due = isCut ? newestTicks(rule, lastTick, now) : ticks;
  const inTime = due.filter((at) => now - at <= graceMs || at > livesSince);
  const late = due.slice(0, due.length - inTime.length);
  const kept = rule.catchUp === "all" ? late : rule.catchUp === "last" && inTime.length === 0 ? late.slice(-1) : [];
  const fire = [...kept, ...inTime];
  const leftOut = isCut ? ticksBefore(due, lastTick) : 0;
  return { fire, upTo: due.at(-1) ?? lastTick, missed: leftOut + due.length - fire.length };
}

/** How many there were before the newest, at the same rate: counting fifty years of seconds would take longer than a lease. */
function ticksBefore(newest: readonly number[], lastTick: number): number {
  const [first, last] = [newest[0]!, newest.at(-1)!];
  const eachMs = (last - first) / (newest.length - 1);
  return Math.max(Math.round((first - lastTick) / eachMs) - 1, 0);
}

function newestTicks(rule: CronRule, lastTick: number, now: number): number[] {
  const before = patternOf(rule).previousRuns(mostCaughtUp, new Date(now + 1_000));
  return before
    .map((date) => date.getTime())
    .filter((at) => at > lastTick && at <= now)
    .reverse();
}

const patterns = new Map<string, Pattern>();

/** Parsed once; a pattern has no timer of its own. */
function patternOf({ expression, timezone }: CronRule): Pattern {
  const key = `${timezone} ${expression}`;
  let pattern = patterns.get(key);
  if (pattern === undefined) {
    pattern = new Pattern(expression, { timezone, paused: true });
    if (patterns.size > 10_000) patterns.clear();
    patterns.set(key, pattern);
  }
  return pattern;
}

function plainJson(input: unknown, where: string): unknown {
  let json: string;
  try {
    json = JSON.stringify(input) ?? "null";
  } catch (cause) {
    throw new TypeError(`${where}: input cannot be written as JSON: ${(cause as Error).message}`);
  }
  if (json.length <= longestInput) return JSON.parse(json);
  throw new RangeError(`${where}: input has ${json.length} characters as JSON; ${longestInput} is the maximum`);
}
