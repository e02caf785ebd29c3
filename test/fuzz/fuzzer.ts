// Many inputs for one thing, each made from a seed. What fails is printed with its seed, as small as it still fails.
import { Random } from "../support/random.ts";

/** Makes cases of one kind, and checks them. `C` is data: a case is the same each time it is checked. */
export interface Fuzzer<C> {
  readonly name: string;
  make(random: Random): C;
  /** Throws when something is wrong. */
  check(given: C): void | Promise<void>;
  /** How many inputs a case holds. @default 1 */
  size?(given: C): number;
  /** Smaller cases, that may fail in the same way. */
  smaller(given: C): Iterable<C>;
  show(given: C): string;
}

export interface FuzzOptions {
  /** Of the first case; the next ones follow. @default chance */
  readonly seed?: number | undefined;
  /** Inputs at least. */
  readonly count: number;
  /** Hears how far it is. */
  readonly onCase?: (inputs: number) => void;
}

/** Tries of smaller cases. */
const mostTries = 400;

/** Checks so many inputs. Fails: Error with the seed, the smallest case that still fails, and why */
export async function fuzz<C>(fuzzer: Fuzzer<C>, { seed, count, onCase }: FuzzOptions): Promise<number> {
  const first = seed ?? new Random().seed;
  let inputs = 0;
  for (let at = first; inputs < count; at++) {
    const given = fuzzer.make(new Random(at));
    const failure = await failureOf(fuzzer, given);
    if (failure !== undefined) {
      const smallest = await minimise(fuzzer, given);
      const repeat = `bun run fuzz -- --only ${fuzzer.name} --seed ${at} --count 1`;
      throw new Error(
        `${fuzzer.name}, seed ${at} (${repeat}): ${fuzzer.show(smallest.given)}\n${smallest.failure.stack}`,
      );
    }
    inputs += fuzzer.size?.(given) ?? 1;
    onCase?.(inputs);
  }
  return inputs;
}

async function failureOf<C>(fuzzer: Fuzzer<C>, given: C): Promise<Error | undefined> {
  try {
    await fuzzer.check(given);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

async function minimise<C>(fuzzer: Fuzzer<C>, given: C): Promise<{ readonly given: C; readonly failure: Error }> {
  let smallest = given;
  let failure = (await failureOf(fuzzer, given)) ?? new Error("it failed once, and not when it was tried again");
  let tries = 0;
  for (let isSmaller = true; isSmaller && tries < mostTries; ) {
    isSmaller = false;
    for (const next of fuzzer.smaller(smallest)) {
      if (++tries > mostTries) break;
      const why = await failureOf(fuzzer, next);
      if (why === undefined) continue;
      smallest = next;
      failure = why;
      isSmaller = true;
      break;
    }
  }
  return { given: smallest, failure };
}

/** A list without parts of it: halves first, single items last. */
export function* without<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let length = Math.ceil(list.length / 2); length >= 1; length = length === 1 ? 0 : Math.ceil(length / 2))
    for (let from = 0; from < list.length; from += length) yield [...list.slice(0, from), ...list.slice(from + length)];
}

/** How one input is spoiled: bytes that are changed, left out, doubled or cut. */
export function mutate(random: Random, bytes: Uint8Array): Uint8Array {
  let mutated = bytes.slice();
  for (let times = random.whole(1, 4); times > 0; times--) {
    const at = random.whole(0, Math.max(mutated.length - 1, 0));
    const kind = random.whole(0, 5);
    if (kind === 0) mutated = mutated.subarray(0, at).slice();
    else if (kind === 1)
      mutated = Uint8Array.from([...mutated.subarray(0, at), ...random.bytes(8), ...mutated.subarray(at)]);
    else if (kind === 2 && mutated.length >= at + 8)
      new DataView(mutated.buffer, mutated.byteOffset).setFloat64(at, random.pick(oddNumbers), true);
    else if (kind === 3 && mutated.length >= at + 4)
      new DataView(mutated.buffer, mutated.byteOffset).setUint32(
        at,
        random.pick([0, 1, 0xffff, 2 ** 31, 2 ** 32 - 1]),
        true,
      );
    else if (mutated.length > 0) mutated[at] = random.whole(0, 255);
  }
  return mutated;
}

export const oddNumbers = [Number.NaN, Number.POSITIVE_INFINITY, -1, -1e300, 1e300, 0, 0.5, 2 ** 53, 8.64e15];
export const oddNames = [
  "constructor",
  "toString",
  "__proto__",
  "hasOwnProperty",
  "valueOf",
  "plain",
  "",
  "a/b",
  "*",
  ">",
];

/** JSON with some of its values in the place of others. */
export function mutateJson(random: Random, value: unknown, share = 0.15): unknown {
  if (random.chance(share / 2)) return oddValue(random);
  if (Array.isArray(value)) {
    const items = value.map((item) => mutateJson(random, item, share));
    return random.chance(share / 2) ? [...items, oddValue(random)] : items;
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).filter(() => !random.chance(share / 3));
    const mutated = entries.map(([name, item]) => [name, mutateJson(random, item, share)]);
    if (random.chance(share / 2)) mutated.push([random.pick(oddNames), oddValue(random)]);
    return Object.fromEntries(mutated);
  }
  return random.chance(share) ? oddValue(random) : value;
}

function oddValue(random: Random): unknown {
  const number = random.pick(oddNumbers);
  const values = [
    null,
    true,
    "",
    random.text(0, 20),
    random.pick(oddNames),
    [],
    {},
    [[1]],
    { a: 1 },
    number,
    "x".repeat(300),
  ];
  return random.pick(values);
}
