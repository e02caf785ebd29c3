// Fields of an input that stay readable where inputs are encrypted.
import type { AnySchema, InputOf } from "./schema.ts";

/** The field of an encrypted value that has the ciphertext. */
export const sealedField = "$sealed";

/** Names of the fields of an input, of any of its forms; `string` where nothing is known of them. */
export type FieldsOf<Input> = unknown extends Input
  ? string
  : Input extends readonly unknown[]
    ? never
    : Input extends object
      ? keyof Input & string
      : never;

/** Names of the fields that a schema takes; any name without one. */
export type FieldIn<S extends AnySchema | undefined> = S extends AnySchema ? FieldsOf<InputOf<S>> : string;

/** Fails: TypeError */
export function assertPlainFields(fields: unknown, where: string): readonly string[] | undefined {
  if (fields === undefined) return undefined;
  const isList = Array.isArray(fields) && fields.every((field) => typeof field === "string" && field !== "");
  if (isList && !fields.includes(sealedField)) return fields;
  throw new TypeError(
    `${where}: plain must be a list of names of fields, not ${JSON.stringify(fields)}; for example { plain: ["customerId"] }`,
  );
}
