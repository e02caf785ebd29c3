// The dispatcher sends assigned runs to their worker: one message for all that a tick assigns to it, acknowledged by one reply.
import { groupsBySize } from "../collections/groups.ts";
import type { LiveRun } from "../fold/live-run.ts";
import type { Leader } from "../leader/leader.ts";
import type { AssignCommand } from "../matching/commands.ts";
import { isNoResponders } from "../nats/no-responders.ts";
import { isDue } from "../presence/assigned.ts";
import { assignmentOf } from "../scheduler/assignment.ts";
import {
  type Assignment,
  type AssignmentReply,
  acknowledgeWithinMs,
  encodeAssignments,
  mostBytesOf,
  withoutInput,
} from "../wire/assignment.ts";
import { jsonBytes, noBytes } from "../wire/bytes.ts";
import { encodeMessage, errorOfReply, parseJson } from "../wire/messages.ts";
import type { CancelOnWorker, Stop } from "../wire/worker-messages.ts";
import type { Payloads } from "./payloads.ts";
import { provenTo } from "./proven.ts";
import type { Signals } from "./signals.ts";

/** The part of a batch that goes into one message. `goesOn`: its last group of runs that execute in one call continues in the next message. */
interface Part {
  readonly from: number;
  readonly assignments: readonly Assignment[];
  readonly goesOn: boolean;
}

/** What can be sent of a batch. `places`: the indices of the assignments in the command. `left`: the indices of the runs that are not sent. */
interface Loaded {
  readonly assignments: readonly Assignment[];
  readonly places?: readonly number[];
  readonly left: readonly number[];
  readonly gone: readonly LiveRun[];
}

export class Dispatcher {
  readonly #leader: Leader;
  readonly #payloads: Pick<Payloads, "ofLive">;
  readonly #signals: Pick<Signals, "withData">;

  constructor(leader: Leader, payloads: Pick<Payloads, "ofLive">, signals: Pick<Signals, "withData">) {
    this.#leader = leader;
    this.#payloads = payloads;
    this.#signals = signals;
  }

  /** Sends a batch and tells the scheduler what the worker answered, or that it did not. */
  async assign(given: AssignCommand): Promise<void> {
    const { worker, batch } = given;
    try {
      const filled = given.resumes === undefined ? given : this.#signals.withData(given);
      const command = filled instanceof Promise ? await filled : filled; // awaits only what is not here: runs wait meanwhile
      if (command === undefined) return this.#takeBack(given);
      const loaded = this.#load(command);
      const { assignments, places, left, gone } = loaded instanceof Promise ? await loaded : loaded;
      if (!this.#isDue(command)) return this.#takeBack(command);
      const here = this.#leader.neighbours.assign(worker, command.epoch, assignments);
      const parts = here === undefined ? this.#split(assignments).map((part) => this.#send(command, part)) : [];
      const replies = here === undefined ? await Promise.all(parts) : [here];
      const refused = replies.flatMap((reply) => reply.refused).map((index) => places?.[index] ?? index);
      const why = replies.find((reply) => reply.why !== undefined)?.why;
      const ahead = here === undefined ? aheadOf(replies) : 0;
      this.#leader.handle({ type: "assigned", id: worker, batch, refused: [...refused, ...left], why, ahead });
      for (const run of gone) this.#leader.handle({ type: "inputGone", run });
    } catch (error) {
      this.#leader.log.debug("an assignment was not acknowledged", { worker, batch, error });
      this.#leader.handle({ type: "unacknowledged", id: worker, batch });
      if (isNoResponders(error)) this.#leader.handle({ type: "unreachable", id: worker });
    }
  }

  /** Whether the batch may still be sent, after everything that was awaited for it. */
  #isDue(command: AssignCommand): boolean {
    const { leadership } = this.#leader.state;
    return leadership !== undefined && isDue(leadership.matching, command);
  }

  /** Gives the runs back to the scheduler as refused: no worker has seen them. */
  #takeBack({ worker, batch, runs }: AssignCommand): void {
    this.#leader.handle({ type: "assigned", id: worker, batch, refused: runs.map((_, index) => index) });
  }

  /** Tells a worker what to stop. If it does not answer, it is told again after its next heartbeat, or when it registers. */
  async cancelOn(worker: string, stops: readonly Stop[]): Promise<void> {
    const groups = groupsBySize(stops, this.#leader.link.maxPayload - 1_024, (stop) => jsonBytes(stop).length + 1);
    await Promise.all(groups.map((runs) => this.#stop(worker, runs)));
  }

  async #stop(worker: string, runs: readonly Stop[]): Promise<void> {
    const { link, subjects, log } = this.#leader;
    const proven = provenTo(this.#leader, worker, "cancel");
    if (proven === undefined) return;
    try {
      const message = encodeMessage({ ...proven, runs } satisfies CancelOnWorker);
      await link.nc.request(subjects.worker(worker, "cancel"), message, { timeout: acknowledgeWithinMs });
    } catch (error) {
      log.debug("a worker did not answer a stop", { worker, error });
    }
  }

  /** Not a promise if all inputs are in memory, which is the usual case. */
  #load(command: AssignCommand): Loaded | Promise<Loaded> {
    const { runs, followers, resumes } = command;
    let isWhole = true;
    // Made before the first await: a run may move on while its input is read.
    const frames = runs.map((run) => {
      const { input } = run;
      if (input === undefined) isWhole = false;
      return assignmentOf(run, input ?? noBytes, followers.has(run), resumes?.get(run));
    });
    return isWhole ? { assignments: frames, left: [], gone: [] } : this.#read(runs, frames);
  }

  /** A run whose input cannot be read now is taken back, not lost: no worker has seen it. */
  async #read(runs: readonly LiveRun[], frames: readonly Assignment[]): Promise<Loaded> {
    const inputs = await Promise.all(runs.map((run) => this.#payloads.ofLive(run)));
    const assignments: Assignment[] = [];
    const places: number[] = [];
    const left: number[] = [];
    let hasFirst = false;
    inputs.forEach((input, place) => {
      const frame = frames[place]!;
      if (!frame.follows) hasFirst = input instanceof Uint8Array;
      if (input instanceof Uint8Array && hasFirst) {
        assignments.push({ ...frame, input });
        places.push(place);
      } else left.push(place); // also those that would execute in one call with a run that is left
    });
    return { assignments, places, left, gone: runs.filter((_, place) => inputs[place] === "gone") };
  }

  /** Splits a batch into messages, nearly always one. A group of runs that execute in one call is split only if it does not fit into a message. */
  #split(given: readonly Assignment[]): Part[] {
    const limit = this.#leader.link.maxPayload - 1_024;
    if (given.length > 0 && bytesOf(given) <= limit) return [{ from: 0, assignments: given, goesOn: false }];
    const assignments = given.map((one) => (mostBytesOf(one) > limit ? withoutInput(one) : one));
    const parts: Part[] = [];
    let from = 0;
    for (const calls of groupsBySize(callsIn(assignments), limit, bytesOf)) {
      const pieces = groupsBySize(calls.flat(), limit, mostBytesOf);
      for (const piece of pieces) {
        parts.push({ from, assignments: piece, goesOn: piece !== pieces.at(-1) });
        from += piece.length;
      }
    }
    return parts;
  }

  async #send({ worker, epoch }: AssignCommand, { from, assignments, goesOn }: Part): Promise<AssignmentReply> {
    const proven = provenTo(this.#leader, worker, "assign");
    const message = encodeAssignments({ epoch, ...proven, assignments, goesOn, sentAt: performance.now() });
    const reply = await this.#request(worker, message);
    return from === 0 ? reply : { ...reply, refused: reply.refused.map((index) => index + from) };
  }

  async #request(worker: string, message: Uint8Array): Promise<AssignmentReply> {
    const { link, subjects } = this.#leader;
    const answer = await link.nc.request(subjects.worker(worker, "assign"), message, { timeout: acknowledgeWithinMs });
    const reply = parseJson(answer.data, "assignment reply") as AssignmentReply;
    const error = errorOfReply(reply);
    if (error !== undefined) throw new Error(error.message);
    return reply;
  }
}

/** How many runs the worker takes ahead, as its last reply says. A worker may send anything, so it is checked. */
function aheadOf(replies: readonly AssignmentReply[]): number {
  const ahead = replies.at(-1)?.ahead;
  return Number.isSafeInteger(ahead) && ahead! > 0 ? ahead! : 0;
}

const bytesOf = (assignments: readonly Assignment[]): number =>
  assignments.reduce((bytes, one) => bytes + mostBytesOf(one), 0);

/** Groups assignments by the call in which they execute. */
function callsIn(assignments: readonly Assignment[]): Assignment[][] {
  const calls: Assignment[][] = [];
  for (const one of assignments) {
    if (one.follows) calls.at(-1)!.push(one);
    else calls.push([one]);
  }
  return calls;
}
