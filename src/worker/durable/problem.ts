// Problems: why code does not match its journal, in words for people. They are never thrown into user code: the frame is dropped, and the run
// waits for matching code.
import type { OpKind } from "../../wire/journal-message.ts";

interface Named {
  readonly kind: OpKind;
  readonly name: string;
}

/** `step reserve`, `sleep` */
export const described = ({ kind, name }: Named): string => (name === "" ? kind : `${kind} ${name}`);

const remedy =
  "old runs need the old order of calls: leave the old method as it is and give the new one another name, or keep workers of the old code until its runs have ended";

export const differs = (ordinal: number, stored: Named, now: Named): string =>
  `op ${ordinal} was ${described(stored)} and is now ${same(stored, now) ? "the same with different arguments" : described(now)}; ${remedy}`;
const same = (a: Named, b: Named): boolean => a.kind === b.kind && a.name === b.name;

export const notOpened = (ordinal: number, stored: Named): string =>
  `op ${ordinal} was ${described(stored)}, but now nothing was opened before its result: the code has changed, or it awaited something natchet does not know about; ${remedy}`;

export const endedBefore = (ordinal: number, stored: Named): string =>
  `op ${ordinal} was ${described(stored)}, but the method now ended before it; ${remedy}`;

/** Like {@link endedBefore}, but the code continues. */
export const openedOther = (before: number, now: number): string =>
  `${before} ops were open when the run was parked, and now there are ${now}; ${remedy}`;

const foreign =
  "await only steps, ctx.sleep, ctx.waitFor, children, and combinations of them (Promise.all, race, loops); move fetch, timers, files and the like into a step";

export const foreignBefore = (op: Named): string =>
  `${described(op)} was opened after an await natchet does not know about, so a replay might open it elsewhere; ${foreign}`;
export const foreignAtEnd = (): string => `the method ended after an await natchet does not know about; ${foreign}`;
export const foreignOnly = (): string =>
  `the method awaits only something natchet does not know about, or a wait that a ctx.race has closed; ${foreign}`;
/** The race could still be won by its other ways, but waiting for this one is a mistake: it never ends. */
export const racedAgain = (way: string): string =>
  `ctx.race was given ${JSON.stringify(way)}, which lost an earlier race and was closed, so it would never end; open a new one for each race, for example ctx.sleepUntil(end)`;
