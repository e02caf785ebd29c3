// `@Cron`: a task that runs on a schedule.
import { type CronOptions, parseCron } from "../src/domain/cron.ts";
import type { AnyMethod } from "./check.ts";
import { cronMetadata } from "./metadata.ts";
import { atCaller, decoratedPlaceOf } from "./place.ts";

/** Decorates a method in both modes; it needs a @Task as well. */
export interface CronDecorator {
  <M extends AnyMethod>(method: M, context: ClassMethodDecoratorContext<any, M>): void;
  (target: object, key: string, descriptor: PropertyDescriptor): void;
}

/**
 * Runs a task on a schedule: 5 fields, or 6 with seconds first. Each tick is one run, whichever engine leads; its id is `<name>:<tick>`.
 *
 * Several on one method need names. Once removed from the code, a schedule is gone with the next start of its worker.
 *
 * Fails: TypeError at class definition, with the value, the rule and an example
 * @example
 * ```ts
 * @Task() @Cron("0 3 * * *", { timezone: "Europe/Berlin", catchUp: "last" }) async nightly() { … }
 * ```
 */
export function Cron(expression: string, options: CronOptions = {}): CronDecorator {
  atCaller(Cron, () => parseCron(expression, "task", options, "@Cron"));
  const decorate = (...args: unknown[]): void => {
    atCaller(decorate, () => {
      const place = decoratedPlaceOf("@Cron", args);
      const below = cronMetadata.get(place) ?? []; // decorators are applied from the last to the first
      cronMetadata.set(place, [{ expression, options }, ...below]);
    });
  };
  return decorate as CronDecorator;
}
