// Counted time: what counts as waiting for schedule timeouts. Only while an engine leads and works: at any other time nothing could have started (ADR 15).

import type { CountedSpan } from "../../wire/hand-over.ts";

type Gap = CountedSpan["gaps"][number];

/** Most gaps that are remembered. With more, no time before the oldest counts: a timeout may come late, never early. */
const mostGaps = 32;

export class CountedTime {
  /** No time before this counts. */
  since = 0;
  /** The oldest first. */
  gaps: readonly Gap[] = [];

  /** Starts counting again: nobody knows when the previous leader last worked. */
  restart(now: number): void {
    this.since = now;
    this.gaps = [];
  }

  /** Continues where the previous leader stopped. */
  resume({ since, until, gaps }: CountedSpan, now: number): void {
    this.since = Math.min(since, now);
    this.gaps = gaps;
    this.skip(until, now);
  }

  skip(from: number, to: number): void {
    if (to <= from) return;
    const gaps = [...this.gaps, { from, to }];
    if (gaps.length > mostGaps) this.since = Math.max(this.since, gaps.shift()!.to);
    this.gaps = gaps;
  }

  spanUntil(now: number): CountedSpan {
    return { since: this.since, until: now, gaps: this.gaps };
  }

  /** When this much counted time will have passed since `start`. Units: epoch milliseconds */
  after(start: number, ms: number): number {
    const begin = Math.max(start, this.since);
    let at = begin + ms;
    for (const { from, to } of this.gaps) {
      if (to <= begin) continue;
      const stopped = Math.max(from, begin);
      if (at <= stopped) break;
      at += to - stopped;
    }
    return at;
  }
}
