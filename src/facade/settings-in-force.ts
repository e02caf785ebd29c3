// Every setting with its value and source, as `natchet doctor` shows them.
import { nearest } from "../domain/known-options.ts";
import { shownAddress } from "../nats/address.ts";
import { readEnvironment } from "../runtime/environment.ts";
import { type ConnectOptions, type Settings, variables } from "./settings.ts";

export interface SettingInForce {
  readonly name: keyof typeof variables;
  /** Secrets are not shown; empty if not set. */
  readonly value: string;
  readonly from: "command line" | "environment" | "default" | "not set";
  readonly meaning: string;
}

const secret: ReadonlySet<string> = new Set(["NATS_PASSWORD", "NATS_TOKEN"]);

/** `options` are those of the command line. */
export function settingsInForce(options: ConnectOptions, settings: Settings): SettingInForce[] {
  const names = Object.keys(variables) as (keyof typeof variables)[];
  const env = readEnvironment(names);
  const given: Partial<Record<keyof typeof variables, string | undefined>> = {
    NATS_URL: options.url,
    NATCHET_NAMESPACE: options.namespace,
  };
  const defaults = defaultsOf(settings);
  return names.map((name) => {
    const meaning = variables[name];
    const set = given[name] ?? env[name];
    if (set === undefined)
      return { name, value: defaults[name] ?? "", from: defaults[name] === undefined ? "not set" : "default", meaning };
    return { name, value: shown(name, set), from: given[name] === undefined ? "environment" : "command line", meaning };
  });
}

function shown(name: keyof typeof variables, value: string): string {
  if (secret.has(name)) return "(set, not shown)";
  return name === "NATS_URL" ? shownAddress(value) : value;
}

const defaultsOf = ({ directory }: Settings): Partial<Record<keyof typeof variables, string>> => ({
  NATCHET_NAMESPACE: "default",
  NATCHET_REPLICAS: "1",
  NATCHET_DIRECTORY: directory,
  NATCHET_LOG: "info (clients: warn)",
  NATCHET_LOG_FORMAT: "text",
  NATCHET_ENGINE: "auto",
  NATCHET_SHUTDOWN_TIMEOUT: "30s",
  NATCHET_ON_UNHANDLED: "log",
  NATCHET_HEALTH_HOST: "127.0.0.1",
  NATCHET_KEEP_COUNT: "100000",
  NATCHET_KEEP_AGE: "24h",
  NATCHET_LOGS_MAX_AGE: "24h",
  NATCHET_LOGS_MAX_BYTES: "1073741824",
});

/** Variables that natchet's own processes pass to each other. */
const internal: ReadonlySet<string> = new Set(["NATCHET_SUPERVISED", "NATCHET_WRAPPER", "NATCHET_NOHUP"]);

/** Variables that begin like natchet's and that nobody reads: most of them are misspelt. */
export function unknownVariables(names: readonly string[]): { readonly name: string; readonly meant?: string }[] {
  const known = Object.keys(variables);
  return names
    .filter((name) => name.startsWith("NATCHET_") && !known.includes(name) && !internal.has(name))
    .map((name) => {
      const meant = nearest(
        name.slice("NATCHET_".length),
        known.flatMap((one) => (one.startsWith("NATCHET_") ? [one.slice("NATCHET_".length)] : [])),
      );
      return { name, ...(meant !== undefined && { meant: `NATCHET_${meant}` }) };
    });
}
