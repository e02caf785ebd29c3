// Distinguishes the two decorator modes by their arguments: TC39 standard decorators get a context, legacy ones a target and a key.
import type { MethodHome } from "./method-home.ts";

export { atCaller } from "../src/domain/at-caller.ts";

export interface DecoratedPlace extends MethodHome {
  /** For messages: `@Task on EmailWorker.send`; standard decorators do not know the class yet. */
  readonly where: string;
}

/** Where a method decorator was written; throws a TypeError if it is not a public instance method. */
export function decoratedPlaceOf(label: string, args: readonly unknown[]): DecoratedPlace {
  const [first, second, third] = args;
  if (isContext(second)) return standardPlace(label, first, second);
  if (second === undefined) {
    throw new TypeError(
      `${label} on ${nameOf(first)}: decorates methods, not a class; write ${label}() above a method`,
    );
  }
  return legacyPlace(label, first as object, second as string | symbol, third);
}

/** The context of a standard class decorator, undefined in legacy mode; throws when something else is decorated. */
export function classContextOf(label: string, args: readonly unknown[]): ClassDecoratorContext | undefined {
  const [cls, context] = args;
  const isClass =
    typeof cls === "function" && (context === undefined || (isContext(context) && context.kind === "class"));
  if (isClass) return context as ClassDecoratorContext | undefined;
  const where = isContext(context) ? String(context.name) : String(context ?? cls);
  throw new TypeError(`${label} on ${where}: decorates a class, for example ${label}(5) above class EmailWorker`);
}

/** Whether a factory got its decorator's arguments, which means that the parentheses are missing. */
export function isDecoratorCall(args: readonly unknown[]): boolean {
  const [first, second] = args;
  if (isContext(second)) return true;
  const isTarget = typeof first === "function" || (typeof first === "object" && first !== null);
  const isClassAlone = args.length === 1 && typeof first === "function" && /^class\b/.test(String(first));
  return isClassAlone || (isTarget && args.length >= 2 && (typeof second === "string" || typeof second === "symbol"));
}

function standardPlace(label: string, method: unknown, context: DecoratorContext): DecoratedPlace {
  const where = `${label} on ${String(context.name)}`;
  if (context.kind === "class")
    throw new TypeError(`${where}: decorates methods, not a class; write it above a method`);
  if (context.kind !== "method") throw notAMethod(where, context.kind);
  if (context.private) {
    throw new TypeError(`${where}: a #private method cannot be called from outside; write it without the #`);
  }
  if (context.static) throw isStatic(where, label);
  if (typeof context.name === "symbol") throw isSymbol(where);
  return { method: method as Function, owner: context.metadata, key: context.name, where };
}

function legacyPlace(label: string, target: object, key: string | symbol, third: unknown): DecoratedPlace {
  const isClass = typeof target === "function";
  const where = `${label} on ${nameOf(isClass ? target : target.constructor)}.${String(key)}`;
  if (typeof third === "number") throw notAMethod(where, "parameter");
  const descriptor = third as PropertyDescriptor | undefined;
  if (typeof descriptor?.value !== "function") {
    throw notAMethod(where, descriptor?.get ? "getter" : descriptor?.set ? "setter" : "field");
  }
  if (isClass) throw isStatic(where, label);
  if (typeof key === "symbol") throw isSymbol(where);
  return { method: descriptor.value, owner: target, key, where };
}

const isContext = (value: unknown): value is DecoratorContext =>
  typeof value === "object" && value !== null && "kind" in value && "addInitializer" in value;

const nameOf = (cls: unknown): string => (typeof cls === "function" && cls.name) || "an anonymous class";

const notAMethod = (where: string, kind: string): TypeError =>
  new TypeError(
    `${where}: decorates methods, but this is ${kind === "accessor" ? "an" : "a"} ${kind}; for example @Task() async send(input, ctx) {}`,
  );
const isStatic = (where: string, label: string): TypeError =>
  new TypeError(
    `${where}: a static method cannot be a ${label === "@Step" ? "step" : "task"}; write it as an instance method`,
  );
const isSymbol = (where: string): TypeError =>
  new TypeError(`${where}: a method named by a symbol cannot be a task; give it a name such as send`);
