// `@Worker`: a class whose tasks share slots, labels and middleware.
import { assertKnownOptions } from "../src/domain/known-options.ts";
import { assertMiddleware, type ExecuteMiddleware } from "../src/domain/middleware.ts";
import { assertName } from "../src/domain/names.ts";
import { assertLabels, assertSlots, defaultSlots } from "../src/domain/worker.ts";
import type { Name, Slots, WorkerDecorator } from "./check.ts";
import { getWorker, setWorker } from "./metadata.ts";
import { atCaller, classContextOf, isDecoratorCall } from "./place.ts";
import { describeClass } from "./scan.ts";

/** What `@Worker` takes. */
export interface WorkerOptions<N extends number = number, W extends string = string> {
  /** For display; several workers may share it. A minifier changes the default. @default the name of the class */
  readonly name?: Name<W>;
  /** Attempts that may run at the same time, 1…10,000. @default 100 */
  readonly slots?: Slots<N>;
  /** For tasks with `affinity`: `{ region: "eu" }`. */
  readonly labels?: Readonly<Record<string, string | number>>;
  /** Wraps each attempt of its tasks, the first outermost. */
  readonly middleware?: readonly ExecuteMiddleware[];
}

/**
 * Makes a class a worker; `@Worker(5)` is short for `@Worker({ slots: 5 })`.
 *
 * Fails: TypeError or RangeError at class definition, with the value, the rule and an example
 * @default slots 100
 * @example
 * ```ts
 * @Worker({ name: "email", slots: 5, labels: { region: "eu" } })
 * ```
 */
export function Worker<const N extends number = 100, const W extends string = string>(
  options?: Slots<N> | WorkerOptions<N, W>,
  ...nothing: never[]
): WorkerDecorator {
  const given = atCaller(Worker, () => readArguments([options, ...nothing]));
  const decorate = (...args: unknown[]): void => {
    atCaller(decorate, () => {
      const context = classContextOf("@Worker", args);
      const cls = args[0] as Function;
      const className = context?.name ?? cls.name; // a minifier may have changed either
      const where = `@Worker on ${className || "an anonymous class"}`;
      if (getWorker(cls)) throw new TypeError(`${where}: the class has two @Worker decorators; keep one`);
      const middleware = assertMiddleware(given.middleware, where);
      setWorker(cls, {
        name: given.name === undefined ? displayName(className) : assertName("worker", given.name, where),
        isNamed: given.name !== undefined,
        slots: assertSlots(given.slots ?? defaultSlots, where),
        labels: assertLabels(given.labels ?? {}, where),
        ...(middleware.length > 0 && { middleware }),
      });
      describeClass(cls, context?.metadata); // so that every mistake shows here, at the class
    });
  };
  return decorate;
}

interface Given {
  readonly name?: unknown;
  readonly slots?: unknown;
  readonly labels?: unknown;
  readonly middleware?: readonly ExecuteMiddleware[];
}

const known = ["name", "slots", "labels", "middleware"];
const exampleOptions = '@Worker({ name: "email", slots: 5 })';
const example = `for example ${exampleOptions}`;

function readArguments(args: readonly unknown[]): Given {
  const [first] = args;
  if (isDecoratorCall(args)) throw new TypeError("@Worker: write @Worker() with parentheses");
  if (args.length > 1) throw new TypeError(`@Worker takes slots or options, not ${args.length} arguments; ${example}`);
  if (first === undefined) return {};
  if (typeof first === "number") return { slots: first };
  if (typeof first !== "object" || first === null || Array.isArray(first)) {
    const shown = typeof first === "string" ? JSON.stringify(first) : String(first);
    throw new TypeError(`@Worker: ${shown} is neither a number of slots nor options; ${example}`);
  }
  assertKnownOptions(first, { options: known, of: "a worker", where: "@Worker", example: exampleOptions });
  return first;
}

/** A class name may contain characters that are illegal in a worker's name; the default is only for display. */
function displayName(className: string): string {
  const legal = className.replace(/[^A-Za-z0-9_-]/g, "-").slice(0, 64);
  return legal === "" || legal === "default" || legal === "_default" ? "worker" : legal;
}
