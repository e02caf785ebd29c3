// Why code does not fit its journal. Never thrown at user code: its frame is dropped, and the run waits for code that fits.
import type { OpKind } from "../../wire/journal-message.ts";

export interface Problem {
  readonly name: "NotDeterministic" | "ForeignAwait";
  readonly message: string;
  readonly ordinal?: number;
  /** Of the call that showed it. */
  readonly stack?: string | undefined;
}

interface Named {
  readonly kind: OpKind;
  readonly name: string;
}

/** `step reserve`, `sleep` */
export const described = ({ kind, name }: Named): string => (name === "" ? kind : `${kind} ${name}`);

const remedy =
  "old runs need the old order of calls: leave the old method as it is and give the new one another name, or keep workers of the old code until its runs have ended";

export const differs = (ordinal: number, stored: Named, now: Named): Problem => ({
  name: "NotDeterministic",
  message: `op ${ordinal} was ${described(stored)}, and is ${same(stored, now) ? "the same with other arguments" : described(now)} now; ${remedy}`,
  ordinal,
});
const same = (a: Named, b: Named): boolean => a.kind === b.kind && a.name === b.name;

export const notOpened = (ordinal: number, stored: Named): Problem => ({
  name: "NotDeterministic",
  message: `op ${ordinal} was ${described(stored)}, but nothing was opened before its result now: the code is another, or it awaited something that natchet does not know; ${remedy}`,
  ordinal,
});

export const endedBefore = (ordinal: number, stored: Named): Problem => ({
  name: "NotDeterministic",
  message: `op ${ordinal} was ${described(stored)}, and now the method ended before it; ${remedy}`,
  ordinal,
});

/** As {@link endedBefore}, of code that goes on. */
export const openedOther = (before: number, now: number): Problem => ({
  name: "NotDeterministic",
  message: `${before} ops were open where the run was parked, and now there are ${now}; ${remedy}`,
});

const foreign =
  "await only steps, ctx.sleep, ctx.waitFor, children, and combinations of them (Promise.all, race, loops); move fetch, timers, files and the like into a step";

export const foreignBefore = (op: Named): Problem => ({
  name: "ForeignAwait",
  message: `${described(op)} was opened after an await that natchet does not know of, so it might come at another place on a replay; ${foreign}`,
});
export const foreignAtEnd = (): Problem => ({
  name: "ForeignAwait",
  message: `the method ended after an await that natchet does not know of; ${foreign}`,
});
export const foreignOnly = (): Problem => ({
  name: "ForeignAwait",
  message: `the method awaits something that natchet does not know of, and nothing else; ${foreign}`,
});
