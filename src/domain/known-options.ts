// Unknown options are refused everywhere: a misspelt option that is ignored does the opposite of what was meant.
import { toText } from "./thrown.ts";

/**
 * Fails: TypeError that names the option, the one that was probably meant, and all known ones
 *
 * @example assertKnownOptions(options, { options: ["limit", "base"], of: "retries", where: "task x", example: "{ limit: 3 }" })
 */
export function assertKnownOptions(given: unknown, { options, of, where, example }: KnownOptions): void {
  const place = where === undefined ? "" : `${where}: `;
  const forExample = example === undefined ? "" : `; for example ${example}`;
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw new TypeError(`${place}the options of ${of} must be an object, not ${toText(given)}${forExample}`);
  for (const option of Object.keys(given)) {
    if (options.includes(option)) continue;
    const meant = nearest(option, options);
    const question = meant === undefined ? "" : ` Did you mean "${meant}"?`;
    const list = options.length === 1 ? `The only option is ${options[0]}` : `The options are ${options.join(", ")}`;
    throw new TypeError(`${place}"${option.slice(0, 60)}" is not an option of ${of}.${question} ${list}${forExample}`);
  }
}

export interface KnownOptions {
  readonly options: readonly string[];
  /** With its article, where it has one: `a run`, `retries`. */
  readonly of: string;
  readonly where?: string;
  readonly example?: string;
}

/** The names of a type, all of them: the compiler refuses a list that forgets one. */
export const namesOf = <T extends object>(names: Readonly<Record<keyof T & string, true>>): readonly string[] =>
  Object.keys(names);

/** The closest name, if it is close enough, or one with the same beginning. */
export function nearest(option: string, known: readonly string[]): string | undefined {
  const name = option.toLowerCase();
  let best: string | undefined;
  let least = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const each of known) {
    const other = each.toLowerCase();
    const isAkin = (name.length > 2 && other.startsWith(name)) || name.slice(0, 4) === other.slice(0, 4);
    const distance = isAkin ? 1 : editsBetween(name, other);
    if (distance < least) [best, least] = [each, distance];
  }
  return best;
}

/** Insertions, removals, replacements and swaps of neighbours. */
function editsBetween(a: string, b: string): number {
  if (a.length > 60) return a.length;
  const rows = [Array.from({ length: b.length + 1 }, (_, i) => i)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const above = rows[i - 1]!;
      const isSame = a[i - 1] === b[j - 1];
      row[j] = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (isSame ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(row[j]!, rows[i - 2]![j - 2]! + 1);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
