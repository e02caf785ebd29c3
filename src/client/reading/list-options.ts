// The options of a list. In a file of their own, since the types that users see must not lead to those of another package.
import type { Patience } from "../asking/patience.ts";

/** Which part of a list, and how much of it. */
export interface ListOptions extends Patience {
  /** At most this many. @default 100 */
  readonly limit?: number | undefined;
  /** Only runs that were created before this time. */
  readonly before?: Date | undefined;
  /** Continues after the page that returned this cursor. */
  readonly cursor?: string | undefined;
  /** Also reads why runs failed or were cancelled (`error`, `reason`): one read of the log for each group of them. @default false */
  readonly errors?: boolean | undefined;
}
