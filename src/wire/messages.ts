// JSON messages over core NATS, and how they are checked at the edge: one that does not match its schema is a MalformedRecord.
import * as Result from "effect/Result";
import * as Schema from "effect/Schema";
import { MalformedRecord } from "../domain/errors.ts";
import { isKey } from "../domain/names.ts";
import { isToken } from "../domain/run-id.ts";
import { jsonBytes, jsonOf } from "./bytes.ts";
import { lastMoment } from "./ranges.ts";

export const Text = Schema.String;
export const Count = Schema.Finite;
export const between = (minimum: number, maximum: number) => Schema.isBetween({ minimum, maximum });
export const Whole = Schema.Int.check(between(0, Number.MAX_SAFE_INTEGER));
export const TurnNumber = Schema.Int.check(between(1, 2 ** 32 - 1));
export const Origin = Schema.Finite.check(between(1, Number.MAX_SAFE_INTEGER));
export const Epoch = Schema.Int.check(between(0, 2 ** 32 - 1));
/** A moment or a span. Units: milliseconds */
export const Time = Schema.Finite.check(between(0, lastMoment));
export const Key = Text.check(Schema.makeFilter(isKey));
/** A name that becomes a token of a subject. */
export const Name = Text.check(Schema.makeFilter(isToken));
export const StringMap = Schema.Record(Schema.String, Schema.String);

export const encodeMessage = (message: unknown): Uint8Array => jsonBytes(message);

/** Errors after which a request may be repeated: the engine no longer leads, or its store does not answer. */
export const notLeading = "NotLeading";
export const transientErrors: ReadonlySet<string> = new Set([notLeading, "StoreUnavailable"]);

/** Any request may be answered with an error. */
export interface ErrorReply {
  readonly error: { readonly name: string; readonly message: string };
}
export const errorReply = (error: unknown): ErrorReply =>
  error instanceof Error
    ? { error: { name: error.name, message: error.message } }
    : { error: { name: "Error", message: String(error) } };
export function errorOfReply(reply: unknown): ErrorReply["error"] | undefined {
  return typeof reply === "object" && reply !== null && "error" in reply ? (reply as ErrorReply).error : undefined;
}

/** Parses JSON whose shape the caller checks, or knows. Fails: MalformedRecord */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return jsonOf(bytes);
  } catch (cause) {
    throw new MalformedRecord({ what, reason: `no JSON: ${(cause as MalformedRecord).reason}` });
  }
}

/** Makes a decoder for messages of a schema. `read` runs before the schema does, for what that cannot say. */
export function decoder<S extends Schema.Top & { readonly DecodingServices: never }>(
  what: string,
  schema: S,
  read: (value: unknown, what: string) => unknown = (value) => value,
): (bytes: Uint8Array) => S["Type"] {
  const decode = Schema.decodeUnknownResult(schema as never) as unknown as (
    value: unknown,
  ) => Result.Result<S["Type"], Schema.SchemaError>;
  return (bytes) => {
    const result = decode(read(parseJson(bytes, what), what));
    if (Result.isSuccess(result)) return result.success;
    throw new MalformedRecord({ what, reason: result.failure.message });
  };
}
