import { splitKey, taskOf } from "../../src/domain/run.ts";
import type { FoldedEntry } from "../../src/fold/log-events.ts";
import { largestCarriedInput } from "../../src/wire/carried-input.ts";
import type { World } from "./world.ts";

/** Creates runs: one by one under ids that come again and again, and in some worlds many at once under ids of its own, or with large inputs. */
export class ModelClient {
  readonly #world: World;
  #bundled = 0;
  #large = 0;
  #created = 0;

  constructor(world: World) {
    this.#world = world;
  }
  act(isSingle: boolean): void {
    const { hasBundles, isRush } = this.#world.climate;
    if (isSingle || !(hasBundles || isRush)) this.#create();
    else this.#createBundle();
  }
  #create(): void {
    const { random, ids, stream, climate } = this.#world;
    const key = random.pick(ids);
    if (stream.isBundled(key)) return;
    const entry = this.#entryOf(key);
    stream.writeEntry(key, 0, climate.hasLarge && random.chance(0.5) ? { ...entry, input: this.#largeInput() } : entry);
  }
  /** Ids of bundles that everybody has forgotten are looked at no more. */
  #createBundle(): void {
    const { random, stream, checks, ids, climate } = this.#world;
    const isGone = (key: string) =>
      key.includes("/b") &&
      checks.reference.describe(key) === "unknown" &&
      stream.entrySeqOf(key) === 0 &&
      !stream.isBundled(key);
    const left = ids.filter((key) => !isGone(key));
    const task = climate.isRush && random.chance(0.7) ? "bill" : random.pick(climate.tasks);
    const keys = Array.from({ length: 1 + random.int(4) }, () => `${task}/b${++this.#bundled}`);
    ids.splice(0, ids.length, ...left, ...keys);
    const entry = this.#entryOf(keys[0]!);
    const runs = keys.map((key) => ({ id: splitKey(key).id, entry }));
    stream.writeBundle(`bundle${this.#bundled}`, task, 0, runs);
  }
  /** No two are alike. */
  #largeInput(): Uint8Array {
    const input = new Uint8Array(largestCarriedInput + 1);
    new DataView(input.buffer).setUint32(0, ++this.#large);
    return input;
  }
  #entryOf(key: string): FoldedEntry {
    const { random, climate } = this.#world;
    // No two clients have the same clock.
    const now = this.#world.now + [0, 120_000, -600_000][++this.#created % 3]!;
    const dueAt = random.chance(0.2) ? now + random.int(climate.hasHours ? 2_000_000 : 4_000) : 0;
    const longest = climate.hasHours ? random.pick([3_000, 1_000_000]) : 3_000;
    const scheduleTimeoutMs = random.chance(0.1) ? random.int(longest) : random.chance(0.1) ? null : undefined;
    const inbox = random.chance(0.5) ? `inbox-${key}` : "";
    const isTagged = random.chance(0.2) || climate.policies[taskOf(key)] !== undefined;
    const extra = isTagged ? { metadata: { of: String(key.length % 2) } } : undefined;
    const priority = random.int(4);
    return { form: 0, priority, createdAt: now, dueAt, scheduleTimeoutMs, inbox, extra };
  }
}
