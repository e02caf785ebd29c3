// What an expression may cost. Every engine evaluates what workers registered, for each run that callers enqueue, between two beats of its
// lease: so an expression is short, loops over one list at most at a time, and its time for an input of a size is known before it begins.

/** A node of a parsed expression. */
export interface ExpressionNode {
  readonly op: string;
  readonly args: unknown;
}

/** What evaluating takes, in units of about ten nanoseconds: for each byte of what it speaks of, and for each pair of them. */
export interface KeyCost {
  readonly perByte: number;
  readonly perPair: number;
}

export const longestExpression = 1_000;
export const expressionLimits = {
  maxAstNodes: 200,
  maxDepth: 30,
  maxListElements: 50,
  maxMapEntries: 50,
  maxCallArguments: 8,
} as const;
/** About a twentieth of a second. */
const mostUnits = 5_000_000;

const loops = new Set(["all", "exists", "exists_one", "map", "filter"]);
/** Functions that read every byte of their argument, or create another text or list from it. */
const linear = new Set(["==", "!=", "in", "+", "call", "rcall"]);
/** Functions that compare at every position. */
const searches = new Set(["contains", "indexOf", "lastIndexOf", "split"]);
const unitsOfLook = 1 / 4;
const unitsOfPair = 1 / 2;
/** A turn takes at least a byte of what is looped over, and for each node of its body as long as for so many bytes. */
const unitsOfTurn = 5;

/** The context of a node: the loops around it, as far as they matter. */
interface Loop {
  readonly variable: string;
  /** It goes over a part of the run, so that all its turns together see that once. */
  readonly isOverRun: boolean;
}

/** Fails: Error that says what is not allowed */
export function costOf(root: ExpressionNode): KeyCost {
  let perByte = 0;
  let perPair = 0;
  const visit = (value: unknown, loop: Loop | undefined): void => {
    if (Array.isArray(value)) for (const item of value) visit(item, loop);
    if (!isNode(value)) return;
    const { op, args } = value;
    const name = op === "call" || op === "rcall" ? String((args as unknown[])[0]) : undefined;
    assertAllowed(name, loop);
    if (loop !== undefined) perByte += unitsOfTurn;
    if (linear.has(op) && !isComparedWithLiteral(value)) {
      const isOnce = loop === undefined || (loop.isOverRun && !speaksOf(args, (id) => id !== loop.variable));
      const sought = name !== undefined && searches.has(name) ? soughtIn(args) : 0;
      if (isOnce && sought !== undefined) perByte += unitsOfLook * (1 + sought / 16);
      else perPair += unitsOfPair;
    }
    if (op === "rcall" && loops.has(name!)) {
      const [, receiver, [variable, ...body]] = args as [string, unknown, ExpressionNode[]];
      visit(receiver, loop);
      visit(body, { variable: String(variable?.args), isOverRun: isPath(receiver) });
    } else visit(args, loop);
  };
  visit(root, undefined);
  return { perByte, perPair };
}

/** Fails: Error that says how large the input may be */
export function assertAffordable({ perByte, perPair }: KeyCost, bytes: number): void {
  if (perByte * bytes + perPair * bytes * bytes <= mostUnits) return;
  const root = Math.sqrt(perByte ** 2 + 4 * perPair * mostUnits);
  const most = perPair === 0 ? mostUnits / perByte : (root - perByte) / (2 * perPair);
  throw new Error(`it would take too long for an input of ${bytes} bytes; ${Math.floor(most)} bytes is its maximum`);
}

const isNode = (value: unknown): value is ExpressionNode =>
  typeof value === "object" && value !== null && "op" in value;

function assertAllowed(name: string | undefined, loop: Loop | undefined): void {
  if (name === "matches")
    throw new Error(
      "matches() is not available, because a pattern may take forever; use startsWith, endsWith or contains, or put the value into the metadata",
    );
  if (name === "bind") throw new Error("cel.bind() is not available");
  if (name !== undefined && loops.has(name) && loop !== undefined)
    throw new Error(`${name}() within another loop is not available`);
}

/** `input.a.b[0]` */
function isPath(value: unknown): boolean {
  if (!isNode(value)) return false;
  if (value.op === "id") return true;
  return (value.op === "." || value.op === "[]") && isPath((value.args as unknown[])[0]);
}

function isComparedWithLiteral({ op, args }: ExpressionNode): boolean {
  return (op === "==" || op === "!=") && (args as unknown[]).some((side) => isNode(side) && side.op === "value");
}

/** How many characters are searched for; undefined if that is only known at run time. */
function soughtIn(args: unknown): number | undefined {
  const [sought] = (args as [unknown, unknown, unknown[]])[2];
  return isNode(sought) && sought.op === "value" ? String(sought.args).length : undefined;
}

function speaksOf(value: unknown, isMeant: (id: unknown) => boolean): boolean {
  if (Array.isArray(value)) return value.some((item) => speaksOf(item, isMeant));
  if (!isNode(value)) return false;
  return value.op === "id" ? isMeant(value.args) : speaksOf(value.args, isMeant);
}
