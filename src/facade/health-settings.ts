// The options of `health`, and their check.
import { assertKnownOptions, namesOf } from "../domain/known-options.ts";
import { assertOneOf, assertWhole, numberOf } from "../domain/option-values.ts";
import type { HealthSettings } from "../health/health-settings.ts";

/** Where this process answers `GET /live`, `/ready` and `/metrics`. */
export interface HealthOptions {
  /** 0 picks a free port. Environment: `NATCHET_HEALTH_PORT`. */
  readonly port?: number | undefined;
  /** The address to listen on. Environment: `NATCHET_HEALTH_HOST`. @default "127.0.0.1": this machine alone; "0.0.0.0": anybody who can reach it, such as a kubelet */
  readonly host?: string | undefined;
  /** What to do when another process listens on the port: `wait` starts without it and takes it as soon as it is free. @default "fail" */
  readonly whenTaken?: "fail" | "wait" | undefined;
}

const known = {
  options: namesOf<HealthOptions>({ port: true, host: true, whenTaken: true }),
  of: "health",
  example: "{ port: 8080 }",
};

interface Environment {
  readonly NATCHET_HEALTH_PORT?: string;
  readonly NATCHET_HEALTH_HOST?: string;
}

/** Undefined without a port: then nothing is served and nothing is counted. Fails: RangeError, TypeError */
export function healthSettings(
  options: HealthOptions | false | undefined,
  env: Environment,
): HealthSettings | undefined {
  if (options === false) return undefined;
  if (options !== undefined) assertKnownOptions(options, known);
  const port = options?.port ?? env.NATCHET_HEALTH_PORT;
  if (port === undefined) return undefined;
  const example = "8080, or 0 for any free port";
  return {
    port: assertWhole(numberOf(port), "health.port (NATCHET_HEALTH_PORT)", { from: 0, to: 65_535, example }),
    host: options?.host ?? env.NATCHET_HEALTH_HOST ?? "127.0.0.1",
    whenTaken: assertOneOf(options?.whenTaken ?? "fail", "health.whenTaken", ["fail", "wait"]),
  };
}
