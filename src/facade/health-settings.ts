import { assertKnownOptions, namesOf } from "../domain/known-options.ts";
import type { HealthSettings } from "../health/health-settings.ts";

/** Where this process answers `GET /live`, `/ready` and `/metrics`. */
export interface HealthOptions {
  /** 0 picks a free port. Environment: `NATCHET_HEALTH_PORT`. */
  readonly port?: number | undefined;
  /** The address to listen on. Environment: `NATCHET_HEALTH_HOST`. @default "127.0.0.1": this machine alone; "0.0.0.0" is everybody who can reach it, such as a kubelet */
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

/** Undefined when no port is named: then nothing is served and nothing counted. Fails: RangeError, TypeError */
export function healthSettings(
  options: HealthOptions | false | undefined,
  env: Environment,
): HealthSettings | undefined {
  if (options === false) return undefined;
  if (options !== undefined) assertKnownOptions(options, known);
  const port = options?.port ?? env.NATCHET_HEALTH_PORT;
  if (port === undefined) return undefined;
  const number = typeof port === "string" && port.trim() === "" ? Number.NaN : Number(port);
  if (!Number.isInteger(number) || number < 0 || number > 65_535)
    throw new RangeError(
      `health.port (NATCHET_HEALTH_PORT): ${String(port)} is not a valid port; use a whole number from 1 to 65535, or 0 for any free one, for example 8080`,
    );
  const whenTaken = options?.whenTaken ?? "fail";
  if (whenTaken !== "fail" && whenTaken !== "wait")
    throw new TypeError(`health.whenTaken: ${String(whenTaken)} is not "fail" or "wait", for example "fail"`);
  return { port: number, host: options?.host ?? env.NATCHET_HEALTH_HOST ?? "127.0.0.1", whenTaken };
}
