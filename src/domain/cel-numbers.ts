// Numbers of JSON in CEL. In CEL, whole numbers and fractions are two types that do not mix; JSON has one. So whole numbers become CEL's
// ints, and the operators that CEL lacks between the two, or between a text and a number, are added.
import type { Environment } from "@marcbachmann/cel-js";

const arithmetic = {
  "+": (a: number, b: number) => a + b,
  "-": (a: number, b: number) => a - b,
  "*": (a: number, b: number) => a * b,
  "/": (a: number, b: number) => a / b,
  "%": (a: number, b: number) => a % b,
};

/** Lets an int and a double be computed with, and a number or boolean be appended to a text. */
export function mixNumbers(environment: Environment): Environment {
  for (const [operator, compute] of Object.entries(arithmetic)) {
    const mixed = (a: number | bigint, b: number | bigint) => compute(Number(a), Number(b));
    environment.registerOperator(`int ${operator} double: double`, mixed);
    environment.registerOperator(`double ${operator} int: double`, mixed);
    if (operator === "%") environment.registerOperator("double % double: double", mixed);
  }
  for (const type of ["int", "double", "bool"]) {
    environment.registerOperator(`string + ${type}: string`, (a: string, b: unknown) => a + String(b));
    environment.registerOperator(`${type} + string: string`, (a: unknown, b: string) => String(a) + b);
  }
  return environment;
}

/**
 * JSON as CEL takes it: whole numbers become ints, in place, at any depth. An object with a field `constructor`, by
 * which the library recognizes types, becomes a map.
 */
export function asCel(json: unknown): unknown {
  const open: (unknown[] | Record<string, unknown> | Map<string, unknown>)[] = [];
  const convert = (value: unknown): unknown => {
    if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : value;
    if (typeof value !== "object" || value === null) return value;
    const holder = Object.hasOwn(value, "constructor") ? new Map(Object.entries(value)) : (value as unknown[]);
    open.push(holder);
    return holder;
  };
  const root = convert(json);
  for (let holder = open.pop(); holder !== undefined; holder = open.pop()) {
    if (holder instanceof Map) for (const [name, value] of holder) holder.set(name, convert(value));
    else {
      const fields = holder as Record<string, unknown>;
      for (const name of Object.keys(fields)) fields[name] = convert(fields[name]);
    }
  }
  return root;
}
