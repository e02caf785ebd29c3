// Checked by the compiler, never run: a message whose type is written out says what its schema says. (A registry reads published types
// without inferring them, so that those of clients cannot be taken from the schemas.)
import type { CancelRuns, ChangeCron, ListRuns, RequestOf, SendSignal } from "../../src/wire/verbs.ts";

type KeysOf<T> = T extends unknown ? keyof T : never;
type Agrees<A, B> = [A, B, KeysOf<A>, KeysOf<B>] extends [B, A, KeysOf<B>, KeysOf<A>] ? true : false;

export const agreements: readonly [
  Agrees<CancelRuns, RequestOf<"cancel">>,
  Agrees<ListRuns, RequestOf<"list">>,
  Agrees<ChangeCron, RequestOf<"cron">>,
  Agrees<SendSignal, RequestOf<"signal">>,
] = [true, true, true, true];
