// Sealed values: what runs carry where encryption is on. They are JSON, in which engines find a ciphertext and the fields that were declared plain.
// What was never sealed is given as it is, so that encryption can be turned on while runs are waiting.
import { Buffer } from "node:buffer";
import { sealedPrefix } from "../domain/encryption.ts";
import type { ErrorRecord } from "../domain/error-record.ts";
import { DecryptionFailed, NonRetryableError } from "../domain/errors.ts";
import type { FailurePayload } from "../domain/failure.ts";
import { sealedField } from "../domain/plain-fields.ts";
import { type AttemptRecord, keyOf, type RunInfo } from "../domain/run.ts";
import { toText } from "../domain/thrown.ts";
import type { LogLine } from "../domain/transcript.ts";
import { jsonBytes, jsonOf, noBytes, textOf, utf8 } from "../wire/bytes.ts";
import { chunkUtterance, readChunk, type Utterance } from "../wire/transcript-entry.ts";
import { keyIdIn, type Sealing, sealingOf, unknownKey, type Vault } from "./vault.ts";

const textMark = `${sealedField}:`;

/** The ciphertext of a value; undefined for a plain one. */
function sealedIn(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const text = (value as Record<string, unknown>)[sealedField];
  return typeof text === "string" && text.startsWith(sealedPrefix) ? text : undefined;
}

const isSealedText = (text: string): boolean => text.startsWith(textMark + sealedPrefix);

export const isSealedError = ({ message }: ErrorRecord): boolean => isSealedText(message);

/** A value, and its JSON. */
export interface GivenInput {
  readonly value: unknown;
  readonly json: Uint8Array;
  /** Fields that stay readable, besides those that are declared. */
  readonly plain?: readonly string[] | undefined;
}

/** The input of a run, with the plain fields of its task beside the ciphertext. */
export const sealInput = (vault: Vault, task: string, given: GivenInput): Uint8Array =>
  given.json.length === 0 ? given.json : jsonBytes(sealedInput(vault, task, given));

export function sealedInput(vault: Vault, task: string, { value, json, plain = [] }: GivenInput): Fields {
  const sealed: Record<string, unknown> = { [sealedField]: vault.seal(json, { task, what: "input" }) };
  if (isFields(value))
    for (const field of [...vault.plainFieldsOf(task), ...plain])
      if (Object.hasOwn(value, field)) sealed[field] = value[field];
  return sealed;
}

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null;

/** The fields of an input that stood readable beside its ciphertext, and are the same in it. Any other was put there by somebody else. */
export function plainFieldsIn(stored: unknown, opened: unknown): readonly string[] {
  if (sealedIn(stored) === undefined || !isFields(opened)) return [];
  const isSame = (field: string) => JSON.stringify((stored as Fields)[field]) === JSON.stringify(opened[field]);
  return Object.keys(stored as Fields).filter((field) => Object.hasOwn(opened, field) && isSame(field));
}

export const sealOutput = (vault: Vault, key: string, json: Uint8Array): Uint8Array =>
  json.length === 0 ? json : jsonBytes({ [sealedField]: vault.seal(json, sealingOf(key, "output")) });

/** Seals an error. Engines see its name, and whether it is retried. */
export function sealError(vault: Vault, key: string, { name, retryable, ...rest }: ErrorRecord): ErrorRecord {
  const message = textMark + vault.seal(jsonBytes(rest), sealingOf(key, "error"));
  return { name, message, ...(retryable !== undefined && { retryable }) };
}

/** Seals the data of a signal. One without data tells nothing but that it came. */
export function sealSignal(vault: Vault, key: string, name: string, data: unknown): unknown {
  const json = jsonBytes(data);
  return json.length === 0 ? undefined : { [sealedField]: vault.seal(json, sealingOf(key, "signal", name)) };
}

/** Seals a line of a log, with its fields, as one text. */
export function sealLine(vault: Vault, key: string, message: string, fields: Uint8Array): string {
  const json = `[${JSON.stringify(message)}${fields.length > 0 ? `,${textOf(fields)}` : ""}]`;
  return textMark + vault.seal(utf8(json), sealingOf(key, "line"));
}

export const sealNote = (vault: Vault, key: string, note: string): string =>
  textMark + vault.seal(utf8(note), sealingOf(key, "note"));

export function sealChunk(vault: Vault, key: string, { at, form, body }: Utterance): Utterance {
  const value = new Uint8Array(1 + body.length);
  value[0] = form;
  value.set(body, 1);
  return chunkUtterance(at, { [sealedField]: vault.seal(value, sealingOf(key, "chunk")) });
}

/** A value, or a promise of it if a key has to be asked for. */
export type Opened<T> = T | Promise<T>;

/** Fails: DecryptionFailed */
function unsealed<T>(
  vault: Vault | undefined,
  text: string,
  sealing: Sealing,
  run: string,
  read: (bytes: Uint8Array) => T,
): Opened<T> {
  if (vault === undefined) {
    const keyId = keyIdIn(Buffer.from(text, "base64url"), run);
    const reason = `the ${sealing.what} is encrypted and this process has no keys; give it the option "encryption"`;
    throw new DecryptionFailed({ run, keyId, reason });
  }
  const bytes = vault.unseal(text, sealing, run);
  return bytes instanceof Promise ? bytes.then(read) : read(bytes);
}

/** Opens the output of a run; a promise if its key has to be asked for. Fails: DecryptionFailed */
export function openOutput(vault: Vault | undefined, key: string, value: unknown): unknown {
  const text = sealedIn(value);
  return text === undefined ? value : unsealed(vault, text, sealingOf(key, "output"), key, jsonOf);
}

/** Opens the input of a run, or of a schedule of its task. `where` is named in errors. Fails: DecryptionFailed */
export function openInput(vault: Vault | undefined, task: string, where: string, value: unknown): unknown {
  const text = sealedIn(value);
  if (text === undefined) return value;
  return unsealed(vault, text, { task, what: "input" }, where, jsonOf);
}

/** Opens the input of a run for its code. Fails: DecryptionFailed; NonRetryableError for a plain one where inputs have to be encrypted */
export function takeInput(vault: Vault | undefined, task: string, key: string, value: unknown): unknown {
  // A run without an input has nothing to seal.
  if (vault?.isRequired === true && value !== undefined && sealedIn(value) === undefined)
    throw new NonRetryableError(
      `the input of run ${key} is not encrypted, and this worker takes no other (encryption.required)`,
    );
  return openInput(vault, task, key, value);
}

/** Opens the data of a signal. Fails: DecryptionFailed */
export function openSignal(vault: Vault | undefined, key: string, name: string, data: unknown): unknown {
  const text = sealedIn(data);
  if (text !== undefined) return unsealed(vault, text, sealingOf(key, "signal", name), key, jsonOf);
  if (data !== undefined && vault?.isRequired === true) throw plainSignal(key, name);
  return data;
}

const plainSignal = (run: string, name: string) =>
  new DecryptionFailed({
    ...{ run, keyId: "none" },
    reason: `the data of signal "${name}" is not encrypted, and this worker takes no other (encryption.required)`,
  });

/** Opens what a failure handler is given, which the engine has put together from what clients and workers have sealed. Fails as {@link takeInput} */
export async function openFailure(vault: Vault | undefined, payload: FailurePayload): Promise<FailurePayload> {
  const { input, failed } = payload;
  const key = keyOf(failed.task, failed.id);
  return {
    input: await takeInput(vault, failed.task, key, input),
    failed: {
      ...failed,
      error: await openError(vault, key, failed.error),
      attempts: await openAttempts(vault, key, failed.attempts),
    },
  };
}

/** Never fails: an error that cannot be read is an error all the same, and says why. */
export const openError = (vault: Vault | undefined, key: string, error: ErrorRecord): Opened<ErrorRecord> =>
  readError(vault, key, error, () => true);

/** Opens an error that is to be kept for good. Fails: DecryptionFailed, unless no key would help */
export const openErrorForGood = (vault: Vault | undefined, key: string, error: ErrorRecord): Opened<ErrorRecord> =>
  readError(vault, key, error, (problem) => problem instanceof DecryptionFailed && problem.keyId === unknownKey);

function readError(
  vault: Vault | undefined,
  key: string,
  error: ErrorRecord,
  isToldInstead: (problem: unknown) => boolean,
): Opened<ErrorRecord> {
  if (!isSealedText(error.message)) return error;
  const { name, retryable } = error;
  const beside = { name, ...(retryable !== undefined && { retryable }) };
  const instead = (problem: unknown): ErrorRecord => {
    if (!isToldInstead(problem)) throw problem;
    return { ...beside, message: unreadable(problem) };
  };
  try {
    const text = error.message.slice(textMark.length);
    const read = (bytes: Uint8Array): ErrorRecord => ({ ...(jsonOf(bytes) as ErrorRecord), ...beside });
    const opening = unsealed(vault, text, sealingOf(key, "error"), key, read);
    return opening instanceof Promise ? opening.catch(instead) : opening;
  } catch (problem) {
    return instead(problem);
  }
}

const hasSealedError = ({ error }: AttemptRecord): boolean => error !== undefined && isSealedText(error.message);

/** Never fails. */
export function openAttempts(
  vault: Vault | undefined,
  key: string,
  attempts: readonly AttemptRecord[],
): Opened<readonly AttemptRecord[]> {
  if (!attempts.some(hasSealedError)) return attempts;
  const opened = attempts.map((one): Opened<AttemptRecord> => {
    if (one.error === undefined) return one;
    const error = openError(vault, key, one.error);
    return error instanceof Promise ? error.then((told) => ({ ...one, error: told })) : { ...one, error };
  });
  return opened.some((one) => one instanceof Promise) ? Promise.all(opened) : (opened as readonly AttemptRecord[]);
}

/** Opens a run that a query has returned. Without keys its input and output stay sealed: whoever operates a queue need not read them. Fails: DecryptionFailed */
export async function openRun(vault: Vault | undefined, run: RunInfo): Promise<RunInfo> {
  if (vault === undefined) return withoutCiphertext(run);
  const { task, id, input, output, error } = run;
  const key = keyOf(task, id);
  return {
    ...run,
    ...(run.attempts !== undefined && { attempts: await openAttempts(vault, key, run.attempts) }),
    ...(input !== undefined && { input: await openInput(vault, task, key, input) }),
    ...(output !== undefined && { output: await openOutput(vault, key, output) }),
    ...(error !== undefined && { error: await openError(vault, key, error) }),
  };
}

/** The run as a process without keys shows it: its errors say that they are encrypted. */
async function withoutCiphertext(run: RunInfo): Promise<RunInfo> {
  const { task, id, error, attempts = [] } = run; // a list of an engine may leave them out
  const key = keyOf(task, id);
  if (!attempts.some(hasSealedError) && (error === undefined || !isSealedError(error))) return run;
  const told = { ...run, attempts: await openAttempts(undefined, key, attempts) };
  return error === undefined ? told : { ...told, error: await openError(undefined, key, error) };
}

/** Never fails. */
export async function openLine(
  vault: Vault | undefined,
  key: string,
  line: Pick<LogLine, "message" | "fields">,
): Promise<Pick<LogLine, "message" | "fields">> {
  if (!isSealedText(line.message)) return line;
  try {
    const text = line.message.slice(textMark.length);
    const read = await unsealed(vault, text, sealingOf(key, "line"), key, jsonOf);
    const [message, fields] = read as [string, LogLine["fields"]];
    return { message, ...(fields !== undefined && { fields }) };
  } catch (problem) {
    return { message: unreadable(problem) };
  }
}

/** Never fails. */
export async function openNote(vault: Vault | undefined, key: string, note: string): Promise<string> {
  if (!isSealedText(note)) return note;
  try {
    return await unsealed(vault, note.slice(textMark.length), sealingOf(key, "note"), key, textOf);
  } catch (problem) {
    return unreadable(problem);
  }
}

/** Fails: DecryptionFailed */
export function openChunk(vault: Vault | undefined, key: string, value: unknown): unknown {
  const text = sealedIn(value);
  if (text === undefined) return value;
  const read = (bytes: Uint8Array) => readChunk(bytes[0] ?? 0, bytes.length > 1 ? bytes.subarray(1) : noBytes);
  return unsealed(vault, text, sealingOf(key, "chunk"), key, read);
}

function unreadable(problem: unknown): string {
  if (!(problem instanceof DecryptionFailed)) return `(encrypted: ${toText(problem)})`;
  return `(encrypted with key "${problem.keyId}": ${problem.reason})`;
}
