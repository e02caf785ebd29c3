// The arguments of @Task and @Durable: a name and options, or a contract.
import type { Contract } from "../src/domain/contract.ts";
import type { TaskOptions } from "../src/domain/task.ts";
import { taskMetadata } from "./metadata.ts";
import { type DecoratedPlace, isDecoratorCall } from "./place.ts";

type Label = "@Task" | "@Durable";

export interface TaskArguments {
  readonly name: unknown;
  readonly options: TaskOptions;
}

const examples: Readonly<Record<Label, string>> = {
  "@Task": 'for example @Task("send-email", { retries: 3 })',
  "@Durable": 'for example @Durable("fulfil", { deadline: "30d" })',
};

export function readTaskArguments(label: Label, given: readonly unknown[]): TaskArguments {
  const example = examples[label];
  if (isDecoratorCall(given)) throw new TypeError(`${label}: write ${label}() with parentheses`);
  if (given.length > 2)
    throw new TypeError(`${label} takes a name and options, not ${given.length} arguments; ${example}`);
  const [first, second] = given;
  if (second !== undefined) assertOptions(label, second, "the second argument");
  const options = (second ?? {}) as TaskOptions;
  if (first === undefined || typeof first === "string") return { name: first, options };
  if (isContract(first)) return { name: first.name, options: withContract(label, first, options) };
  assertOptions(label, first, "the first argument");
  if (second !== undefined) throw new TypeError(`${label}: options are given twice; pass them once, ${example}`);
  return { name: undefined, options: first };
}

function withContract(label: Label, contract: Contract, options: TaskOptions): TaskOptions {
  const { plain } = contract;
  for (const key of ["input", "output", "plain"] as const) {
    if (key in options && key in contract) {
      throw new TypeError(
        `${label}: ${key} is given twice, by the contract "${contract.name}" and by the options; drop one`,
      );
    }
  }
  const { input, output } = contract;
  return { ...options, input, output, ...(plain !== undefined && { plain }) };
}

const isContract = (value: unknown): value is Contract =>
  typeof value === "object" && value !== null && "name" in value && "input" in value && "output" in value;

function assertOptions(label: Label, value: unknown, what: string): asserts value is TaskOptions {
  const isHolder = (typeof value === "object" && value !== null) || typeof value === "function";
  if (isHolder && ("~standard" in value || "ast" in value)) {
    throw new TypeError(`${label}: a schema goes into the options; write ${label}({ input: schema })`);
  }
  if (!isHolder || typeof value === "function" || Array.isArray(value)) {
    throw new TypeError(
      `${label}: ${what} is ${String(value)}, which is not a name, options or a contract; ${examples[label]}`,
    );
  }
  if ("name" in value) {
    throw new TypeError(`${label}: "name" is not an option; the name comes first, ${examples[label]}`);
  }
}

/** A method can be only one thing. Fails: TypeError if another decorator has already made it a task */
export function assertFirst(label: Label, place: DecoratedPlace): void {
  const before = taskMetadata.get(place);
  if (before === undefined) return;
  const other = before.durable === undefined ? "@Task" : "@Durable";
  const what = other === label ? `two ${label} decorators` : "both @Task and @Durable";
  throw new TypeError(`${place.where}: the method has ${what}; keep one`);
}
