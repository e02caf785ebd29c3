/** An attempt that a leader has assigned. */
export interface LedgerEntry {
  readonly key: string;
  readonly turn: number;
  readonly origin: number;
  readonly worker: string;
}

/** Which time counts as waiting for a schedule timeout: from `since` to `until` without the gaps. Units: epoch milliseconds */
export interface CountedSpan {
  readonly since: number;
  readonly until: number;
  readonly gaps: readonly { readonly from: number; readonly to: number }[];
}

/** What a leader leaves behind when it leaves cleanly, so that the next one need not ask and waiting times continue. */
export interface HandOver {
  /** Absent when it is not complete. */
  readonly ledger?: readonly LedgerEntry[];
  readonly counted?: CountedSpan;
}
