// sealing/: what only clients and workers may read. Engines have no part in it.
// AES-256-GCM for what only clients and workers may read. A sealed value is a magic byte that no JSON begins with, a version, the id of its
// key with its length, 12 random bytes, the ciphertext and its tag; all of it as base64url, since engines carry it within JSON.
import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv, randomFillSync } from "node:crypto";
import { type EncryptionOptions, keyIdAt as idAt, type KeySource, keyBytes } from "../domain/encryption.ts";
import { DecryptionFailed } from "../domain/errors.ts";
import { taskOf } from "../domain/run.ts";
import { toText } from "../domain/thrown.ts";

/** What a value is. It is bound to its ciphertext, so that this cannot be put in the place of another. */
export interface Sealing {
  readonly task: string;
  readonly what: "input" | "output" | "error" | "line" | "note" | "chunk" | "signal" | "journal";
  /** The key of the run, with a place where a run has many values of the kind. Absent for inputs, which are sealed before their run has an id. */
  readonly key?: string;
}

/** The sealing of an output, an error, or what a run says. `place`: which one, where a run has many. */
export const sealingOf = (key: string, what: Exclude<Sealing["what"], "input">, place?: string | number): Sealing => ({
  task: taskOf(key),
  what,
  key: place === undefined ? key : `${key} ${place}`,
});

const noFields: readonly string[] = [];
const magic = 0xf5;
const version = 1;
const nonceLength = 12;
const tagLength = 16;
/** How many nonces are drawn at once: one at a time would be a system call for each. */
const noncesAtOnce = 512;

export class Vault {
  readonly #options: EncryptionOptions;
  readonly #namespace: string;
  readonly #keys = new Map<string, Uint8Array>();
  readonly #declared: Map<string, readonly string[]>;
  /** Keys that were asked for and have not come yet. */
  readonly #asked = new Map<string, Promise<Uint8Array>>();
  readonly #nonces = new Uint8Array(nonceLength * noncesAtOnce);
  #nonceAt = this.#nonces.length;

  private constructor(options: EncryptionOptions, namespace: string) {
    this.#options = options;
    this.#namespace = namespace;
    this.#declared = new Map(Object.entries(options.plain ?? {}));
  }

  /** Opens a vault that knows its current key. Fails: DecryptionFailed, TypeError or RangeError for an invalid key, and whatever the user's function throws */
  static async open(options: EncryptionOptions, namespace: string): Promise<Vault> {
    const vault = new Vault(options, namespace);
    await vault.#ask(options.current, undefined);
    return vault;
  }

  /** Like {@link Vault.open}, but at once. Fails: also TypeError for keys that are promised */
  static now(options: EncryptionOptions, namespace: string): Vault {
    const { keys, current } = options;
    const vault = new Vault(options, namespace);
    const key = typeof keys === "function" ? keys(current) : keys[current];
    if (key instanceof Promise)
      throw new TypeError(`encryption.keys: here it must return keys, not promises; for example { "${current}": key }`);
    vault.#keys.set(current, keyBytes(current, key));
    return vault;
  }

  /** Whether plain inputs are refused. */
  get isRequired(): boolean {
    return this.#options.required === true;
  }

  /** Declares fields of a task's inputs plain. */
  declare(task: string, fields: readonly string[] | undefined): void {
    if (fields !== undefined) this.#declared.set(task, [...new Set([...this.plainFieldsOf(task), ...fields])]);
  }

  /** The fields of the inputs of a task that stand beside the ciphertext. */
  plainFieldsOf(task: string): readonly string[] {
    return this.#declared.get(task) ?? noFields;
  }

  seal(value: Uint8Array, sealing: Sealing): string {
    return this.#sealed(value, sealing).toString("base64url");
  }

  sealBytes(value: Uint8Array, sealing: Sealing): Uint8Array {
    return this.#sealed(value, sealing);
  }

  #sealed(value: Uint8Array, sealing: Sealing): Buffer {
    const { current } = this.#options;
    const id = Buffer.from(current);
    const nonce = this.#nextNonce();
    const cipher = createCipheriv("aes-256-gcm", this.#keys.get(current)!, nonce);
    cipher.setAAD(this.#about(current, sealing));
    const head = Buffer.from([magic, version, id.length]);
    const parts = [head, id, nonce, cipher.update(value), cipher.final(), cipher.getAuthTag()];
    return Buffer.concat(parts);
  }

  /** Decrypts a value; at once if the key is known. `run` is named in errors. Fails: DecryptionFailed */
  unseal(text: string, sealing: Sealing, run: string): Uint8Array | Promise<Uint8Array> {
    return this.unsealBytes(Buffer.from(text.endsWith("…") ? "" : text, "base64url"), sealing, run); // what did not fit was cut
  }

  /** As {@link unseal}. */
  unsealBytes(sealed: Uint8Array, sealing: Sealing, run: string): Uint8Array | Promise<Uint8Array> {
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length);
    const id = keyIdIn(bytes, run);
    const key = this.#keys.get(id);
    if (key !== undefined) return this.#decrypted(key, id, bytes, sealing, run);
    return this.#ask(id, run).then((known) => this.#decrypted(known, id, bytes, sealing, run));
  }

  #decrypted(key: Uint8Array, id: string, bytes: Buffer, sealing: Sealing, run: string): Uint8Array {
    const nonceAt = idAt + bytes[2]!;
    const start = nonceAt + nonceLength;
    try {
      const cipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(nonceAt, start), { authTagLength: tagLength });
      cipher.setAAD(this.#about(id, sealing));
      cipher.setAuthTag(bytes.subarray(-tagLength));
      return Buffer.concat([cipher.update(bytes.subarray(start, -tagLength)), cipher.final()]);
    } catch {
      const reason = `the key of that id is another one, or the ${sealing.what} was changed or belongs to another run`;
      throw new DecryptionFailed({ run, keyId: id, reason });
    }
  }

  #ask(id: string, run: string | undefined): Promise<Uint8Array> {
    let asked = this.#asked.get(id);
    if (asked === undefined) {
      asked = this.#find(id, run);
      this.#asked.set(id, asked);
      asked.catch(() => {}).finally(() => this.#asked.delete(id)); // what could not be told is asked for again
    }
    return asked;
  }

  async #find(id: string, run: string | undefined): Promise<Uint8Array> {
    const { keys } = this.#options;
    const own = typeof keys !== "function" && Object.hasOwn(keys, id) ? keys[id] : undefined;
    const found = typeof keys === "function" ? await asked(keys, id, run) : own;
    if (found === undefined)
      throw new DecryptionFailed({ run, keyId: id, reason: "there is no key of that id in encryption.keys" });
    const key = keyBytes(id, found);
    this.#keys.set(id, key);
    return key;
  }

  #about(id: string, { task, what, key }: Sealing): Buffer {
    return Buffer.from(JSON.stringify([version, id, this.#namespace, task, what, key ?? null]));
  }

  #nextNonce(): Uint8Array {
    if (this.#nonceAt === this.#nonces.length) {
      randomFillSync(this.#nonces);
      this.#nonceAt = 0;
    }
    this.#nonceAt += nonceLength;
    return this.#nonces.subarray(this.#nonceAt - nonceLength, this.#nonceAt);
  }
}

/** Asks the user's function for a key. Without a run this is the start, which ends with whatever it throws. Fails: DecryptionFailed for a run, which may be tried again */
async function asked(keys: KeySource, id: string, run: string | undefined): Promise<unknown> {
  if (run === undefined) return keys(id);
  try {
    return await keys(id);
  } catch (error) {
    throw new DecryptionFailed({ run, keyId: id, reason: `encryption.keys failed: ${toText(error)}` });
  }
}

/** Stands for the id of the key in a ciphertext that is not whole. */
export const unknownKey = "?";

/** The id of the key that opens a ciphertext. Fails: DecryptionFailed */
export function keyIdIn(bytes: Uint8Array, run: string): string {
  const length = bytes[2] ?? 0;
  const isWhole = bytes[0] === magic && bytes[1] === version && bytes.length >= idAt + length + nonceLength + tagLength;
  if (!isWhole) throw new DecryptionFailed({ run, keyId: unknownKey, reason: "a part of the ciphertext is missing" });
  return Buffer.from(bytes.subarray(idAt, idAt + length)).toString();
}
