// Cancelling runs: one of them, or all that match a filter, in as many requests as it takes.
import type { CancelReply } from "../../domain/listing.ts";
import type { Cancellation } from "../../domain/run.ts";
import type { CancelRuns } from "../../wire/verbs.ts";
import type { EngineRequests } from "./engine-requests.ts";
import { GroupedCancels } from "./grouped-cancels.ts";
import { deadlineOf, type Patience } from "./patience.ts";
import { filterGroups, textGroups } from "./run-filter.ts";

/** All methods fail with EngineUnreachable or EngineRefused. */
export class Cancels {
  readonly #requests: EngineRequests;
  readonly #grouped = new GroupedCancels((request, patience) => this.all(request, patience));

  constructor(requests: EngineRequests) {
    this.#requests = requests;
  }

  async all(request: CancelRuns, patience?: Patience): Promise<CancelReply> {
    const deadline = deadlineOf(patience);
    const replies: CancelReply[] = [];
    for (const group of groupsOf(request, this.#requests.maxPayload / 4)) {
      for (let cursor: string | undefined = ""; cursor !== undefined; ) {
        const part = cursor === "" ? group : { ...group, cursor };
        const reply: CancelReply = await this.#requests.ask("cancel", part, deadline);
        replies.push(reply);
        cursor = reply.next;
      }
    }
    return joined(replies);
  }

  /** Cancels a run. Single cancels that are made together are sent together. */
  one(key: string, reason: string, patience?: Patience): Promise<Cancellation | "unknown"> {
    return this.#grouped.cancel(key, reason, patience);
  }

  /** Ends a run at once. */
  async kill(key: string, reason: string, patience?: Patience): Promise<Cancellation | "unknown"> {
    const reply = await this.all({ runs: [key], reason, kill: true }, patience);
    return (["cancelled", "finished", "stopping"] as const).find((did) => reply[did].includes(key)) ?? "unknown";
  }
}

function groupsOf({ runs, filter, ...how }: CancelRuns, mostBytes: number): CancelRuns[] {
  if (runs !== undefined) return textGroups(runs, mostBytes).map((group) => ({ runs: group, ...how }));
  return filterGroups(filter ?? {}, mostBytes).map((group) => ({ filter: group, ...how }));
}

/** The replies as one: their lists of keys joined, also those that this version does not know. */
function joined(replies: readonly CancelReply[]): CancelReply {
  const lists = replies.map(({ next: _, ...reply }) => reply as Record<string, readonly string[]>);
  const names = new Set(["cancelled", "stopping", "unknown", "finished", ...lists.flatMap(Object.keys)]);
  const all = Array.from(names, (name) => [name, lists.flatMap((list) => list[name] ?? [])]);
  return Object.fromEntries(all) as unknown as CancelReply;
}
