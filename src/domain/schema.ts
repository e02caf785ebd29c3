// Standard Schema, whichever library made it; Effect schemas are taken as they are.
import * as Schema from "effect/Schema";

/** The shape that zod, valibot, arktype and Effect share (standardschema.dev, version 1). */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** What libraries of schemas agree on; see standardschema.dev. */
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
    readonly jsonSchema?: {
      readonly input: (options: { readonly target: "draft-2020-12" }) => Record<string, unknown>;
    };
  };
}
type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };
interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** An Effect schema, by what all of them have: the project's copy of Effect need not be natchet's, and its types are not needed to read these. */
export interface EffectSchema {
  readonly Type: unknown;
  readonly Encoded: unknown;
  readonly "~effect/Schema/Schema": unknown;
}

/** Any schema that an option takes. */
export type AnySchema = StandardSchema<any, any> | EffectSchema;
/** What a caller may send for a schema: before its defaults and transforms. */
export type InputOf<S> = S extends EffectSchema ? S["Encoded"] : S extends StandardSchema<infer I, any> ? I : never;
/** What a schema makes of an input: after its defaults and transforms. */
export type OutputOf<S> = S extends EffectSchema ? S["Type"] : S extends StandardSchema<any, infer O> ? O : never;

declare const sent: unique symbol;
/** What a handler receives from schema `S`; remembers what a caller may send, before defaults and transforms. */
export type Payload<S extends AnySchema> = OutputOf<S> & { readonly [sent]?: (value: InputOf<S>) => void };
/** What a caller sends for a handler parameter of type `P`. */
export type Sent<P> = P extends { readonly [sent]?: (value: infer I) => void } ? (unknown extends I ? P : I) : P;

export interface ValidationIssue {
  readonly path: string;
  readonly message: string;
}
export type Validation = { readonly value: unknown } | { readonly issues: readonly ValidationIssue[] };

/** Takes any schema, or throws a TypeError that says where. */
export function toStandard(schema: unknown, where: string): StandardSchema {
  const isHolder = (typeof schema === "object" && schema !== null) || typeof schema === "function";
  if (isHolder && "~standard" in schema) return schema as StandardSchema;
  if (Schema.isSchema(schema)) {
    const standard = Schema.toStandardSchemaV1(schema as never, { parseOptions: { errors: "all" } });
    return Schema.toStandardJSONSchemaV1(standard as never) as unknown as StandardSchema;
  }
  throw new TypeError(
    `${where}: ${String(schema)} is not a schema; use a Standard Schema (zod, valibot, arktype) or an Effect schema, for example z.object({ to: z.string() })`,
  );
}

/** Checks a value; answers at once unless the schema is asynchronous. */
export function validate(schema: StandardSchema | undefined, value: unknown): Validation | Promise<Validation> {
  if (schema === undefined) return { value };
  const result = schema["~standard"].validate(value);
  return result instanceof Promise ? result.then(readable) : readable(result);
}

function readable(result: SchemaResult<unknown>): Validation {
  if (!result.issues) return { value: result.value };
  return { issues: result.issues.map((issue) => ({ path: pathOf(issue), message: issue.message })) };
}

const pathOf = (issue: SchemaIssue): string =>
  (issue.path ?? []).map((part) => (typeof part === "object" ? String(part.key) : String(part))).join(".");

/** JSON Schema of the input, for listings; null where the library has none. */
export function jsonSchemaOf(schema: StandardSchema | undefined): Record<string, unknown> | null {
  try {
    return schema?.["~standard"].jsonSchema?.input({ target: "draft-2020-12" }) ?? null;
  } catch {
    return null; // a schema that JSON Schema cannot express is no fault
  }
}
