// Checked by the compiler, never run: a message whose type is written out says what its schema says. (A registry reads published types
// without inferring them, so that those of clients cannot be taken from the schemas.)
import type {
  CancelRuns,
  ChangeCron,
  decodeCancelRuns,
  decodeChangeCron,
  decodeListRuns,
  decodeSendSignal,
  ListRuns,
  SendSignal,
} from "../../src/wire/messages.ts";

type KeysOf<T> = T extends unknown ? keyof T : never;
type Agrees<A, B> = [A, B, KeysOf<A>, KeysOf<B>] extends [B, A, KeysOf<B>, KeysOf<A>] ? true : false;

export const agreements: readonly [
  Agrees<CancelRuns, ReturnType<typeof decodeCancelRuns>>,
  Agrees<ListRuns, ReturnType<typeof decodeListRuns>>,
  Agrees<ChangeCron, ReturnType<typeof decodeChangeCron>>,
  Agrees<SendSignal, ReturnType<typeof decodeSendSignal>>,
] = [true, true, true, true];
