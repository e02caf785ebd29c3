// Names of tasks, workers, crons and namespaces: each becomes a token of a subject, so that is what it may look like.
export type NameKind = "cron" | "task" | "worker" | "namespace";

const legal = /^[A-Za-z0-9_-]{1,64}$/;
/** Whether it is `<task>/<id>`. The task checked last is remembered: many keys in a row begin with the same one. */
export function isKey(key: string): boolean {
  if (checked !== "" && key.startsWith(checked)) return true;
  const slash = key.indexOf("/");
  if (slash < 1 || !legal.test(key.slice(0, slash))) return false;
  checked = key.slice(0, slash + 1);
  return true;
}
let checked = "";

export const isTaskName = (name: string): boolean => legal.test(name);

const shownNames = 20;

/** A list of names for a line of a log. */
export const listed = (names: readonly string[]): string =>
  names.length <= shownNames
    ? names.join(", ")
    : `${names.slice(0, shownNames).join(", ")} and ${names.length - shownNames} more`;

const example: Record<NameKind, string> = { task: "send-email", worker: "email", cron: "nightly", namespace: "prod" };

/** Streams and buckets of the namespace before it have such names; some file systems do not tell upper case from lower case. */
const takenEnding = /_(lease|logs|reserve|journal)$/i;

/**
 * Returns the name if it can be a subject token, else throws; a namespace must not have the names of another one's streams either.
 *
 * Fails: TypeError that names the value, the rule and a legal name
 */
export function assertName(kind: NameKind, value: unknown, where: string): string {
  if (typeof value === "string" && legal.test(value)) {
    const ending = kind === "namespace" ? takenEnding.exec(value)?.[0] : undefined;
    if (ending === undefined) return value;
    throw new TypeError(
      `${where}: "${value}" ends with ${ending}, as a stream of namespace "${value.slice(0, -ending.length)}" does; choose another name, for example "${value.slice(0, -ending.length)}"`,
    );
  }
  const shown = typeof value === "string" ? JSON.stringify(value) : String(value);
  throw new TypeError(
    `${where}: ${shown} is not a valid ${kind} name; use 1 to 64 characters of A-Z a-z 0-9 _ and -, for example "${example[kind]}"`,
  );
}
