// Hands assigned runs to their worker: one message for what one tick assigns, acknowledged by one reply.
import type { Log } from "../domain/log.ts";
import type { NatsLink } from "../nats/link.ts";
import {
  type Assignment,
  type AssignmentReply,
  acknowledgeWithinMs,
  encodeAssignments,
  mostBytesOf,
} from "../protocol/assignment.ts";
import { jsonBytes, noBytes } from "../protocol/bytes.ts";
import { encodeMessage, errorOfReply, parseJson, type Stop } from "../protocol/messages.ts";
import type { Neighbours } from "../protocol/neighbours.ts";
import { waiterOf } from "../protocol/result-inbox.ts";
import type { Subjects } from "../protocol/subjects.ts";
import type { AssignCommand } from "../scheduler/commands.ts";
import type { SchedulerEvent } from "../scheduler/events.ts";
import type { LiveRun } from "../scheduler/live-run.ts";
import { isNoResponders } from "./no-responders.ts";
import type { Payloads } from "./payloads.ts";

export interface DispatcherParts {
  readonly link: NatsLink;
  readonly subjects: Subjects;
  readonly payloads: Payloads;
  readonly neighbours: Neighbours;
  readonly log: Log;
  readonly onEvent: (event: SchedulerEvent) => void;
}

/** What of a batch of commands travels in one message; `goesOn` when a group of runs that execute in one call is not whole in it. */
interface Part {
  readonly from: number;
  readonly assignments: Assignment[];
  goesOn: boolean;
}

export class Dispatcher {
  readonly #parts: DispatcherParts;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
  }

  /** Sends a batch and tells the scheduler what the worker said, or that it said nothing. */
  async assign(command: AssignCommand): Promise<void> {
    const { worker, batch } = command;
    try {
      const loaded = this.#loaded(command) ?? (await this.#load(command));
      const here = this.#parts.neighbours.assign(worker, command.epoch, loaded);
      const replies =
        here === undefined ? await Promise.all(this.#split(loaded).map((part) => this.#send(command, part))) : [here];
      const refused = replies.flatMap((reply) => reply.refused);
      const why = replies.find((reply) => reply.why !== undefined)?.why;
      this.#parts.onEvent({ type: "assigned", id: worker, batch, refused, why });
    } catch (error) {
      this.#parts.log.debug("an assignment was not acknowledged", { worker, batch, error });
      this.#parts.onEvent({ type: "unacknowledged", id: worker, batch });
      if (isNoResponders(error)) this.#parts.onEvent({ type: "unreachable", id: worker });
    }
  }

  /** Asks a worker to stop runs; a worker that does not answer is presence's business. */
  async cancelOn(worker: string, epoch: number, runs: readonly Stop[]): Promise<void> {
    const { link, subjects, log } = this.#parts;
    try {
      await link.nc.request(subjects.worker(worker, "cancel"), encodeMessage({ epoch, runs }), {
        timeout: acknowledgeWithinMs,
      });
    } catch (error) {
      log.debug("a worker did not answer a cancel", { worker, error });
    }
  }

  /** The whole batch when all its inputs are in memory; the usual case, and without a promise. */
  #loaded({ runs, followers }: AssignCommand): Assignment[] | undefined {
    const assignments: Assignment[] = [];
    for (const run of runs) {
      const { input } = run;
      if (input === undefined) return undefined;
      assignments.push(assignmentOf(run, input, followers.has(run)));
    }
    return assignments;
  }

  #load({ runs, followers }: AssignCommand): Promise<Assignment[]> {
    // Taken before the first await: a run may move on while its input is read.
    const frames = runs.map((run) => ({ ...assignmentOf(run, noBytes, followers.has(run)), seq: run.seq }));
    return Promise.all(
      frames.map(async ({ seq, ...frame }) => {
        const input = await this.#parts.payloads.read(frame.key, seq);
        if (input === undefined) throw new Error(`the entry of run ${frame.key} is gone`);
        return { ...frame, input };
      }),
    );
  }

  /** A group of runs that execute in one call stays whole, unless no message takes it; then its parts follow each other. */
  #split(assignments: readonly Assignment[]): Part[] {
    const limit = this.#parts.link.maxPayload - 1_024;
    const parts: Part[] = [];
    let bytes = Number.POSITIVE_INFINITY;
    for (let at = 0, end = 0; at < assignments.length; at = end) {
      end = endOfGroup(assignments, at);
      let group = 0;
      for (let i = at; i < end; i++) group += mostBytesOf(assignments[i]!);
      if (bytes + group > limit) bytes = Number.POSITIVE_INFINITY;
      for (let i = at; i < end; i++) {
        const length = mostBytesOf(assignments[i]!);
        if (bytes + length > limit) {
          if (i > at) parts.at(-1)!.goesOn = true;
          parts.push({ from: i, assignments: [], goesOn: false });
          bytes = 0;
        }
        parts.at(-1)!.assignments.push(assignments[i]!);
        bytes += length;
      }
    }
    return parts;
  }

  async #send({ worker, epoch }: AssignCommand, { from, assignments, goesOn }: Part): Promise<AssignmentReply> {
    const message = encodeAssignments({ epoch, assignments, goesOn, sentAt: performance.now() });
    const reply = await this.#request(worker, message);
    return from === 0 ? reply : { ...reply, refused: reply.refused.map((index) => index + from) };
  }

  async #request(worker: string, message: Uint8Array): Promise<AssignmentReply> {
    const { link, subjects } = this.#parts;
    const answer = await link.nc.request(subjects.worker(worker, "assign"), message, { timeout: acknowledgeWithinMs });
    const reply = parseJson(answer.data, "assignment reply") as AssignmentReply;
    const error = errorOfReply(reply);
    if (error !== undefined) throw new Error(error.message);
    return reply;
  }
}

function endOfGroup(assignments: readonly Assignment[], start: number): number {
  let end = start + 1;
  while (assignments[end]?.follows) end++;
  return end;
}

function assignmentOf(run: LiveRun, input: Uint8Array, follows: boolean): Assignment {
  const { metadata, history } = run;
  const extra =
    metadata === undefined && history.length === 0
      ? noBytes
      : jsonBytes({ ...(metadata && { metadata }), ...(history.length > 0 && { history }) });
  return {
    key: run.key,
    priority: run.queue.priorityOf(run),
    turn: run.turn,
    attempt: run.attempt,
    origin: run.origin,
    createdAt: run.createdAt,
    waiter: waiterOf(run.inbox),
    follows,
    extra,
    input,
  };
}
