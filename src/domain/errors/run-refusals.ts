// Why something cannot be done with a run: it is not known, or it is in no state for it.
import { type Tagged, tagged } from "./tagged.ts";

const RunNotFoundBase: Tagged<"RunNotFound"> = tagged("RunNotFound");
/** No run of this key is known: never created, or forgotten by retention. */
export class RunNotFound extends RunNotFoundBase<{ readonly key: string }> {
  override get message(): string {
    return `run ${this.key} is not known: it was never created, or retention has removed it`;
  }
}

const NotReschedulableBase: Tagged<"NotReschedulable"> = tagged("NotReschedulable");
/** The run cannot be moved to another time: it runs, which a durable one does until its end, or has finished. */
export class NotReschedulable extends NotReschedulableBase<{
  readonly key: string;
  readonly state: "running" | "finished";
}> {
  override get message(): string {
    const instead = this.state === "running" ? "cancel it" : "enqueue it again under another id";
    return `run ${this.key} cannot be rescheduled: it ${this.state === "running" ? "is running" : "has finished"}; ${instead}`;
  }
}

const NotReplayableBase: Tagged<"NotReplayable"> = tagged("NotReplayable");
/** The run cannot be run again: it has not ended, or its input is not kept. */
export class NotReplayable extends NotReplayableBase<{
  readonly key: string;
  readonly state: string;
  readonly inputIsGone?: boolean;
}> {
  override get message(): string {
    if (this.inputIsGone === true)
      return `run ${this.key} cannot be replayed: its input is no longer kept; enqueue it again with the input`;
    return `run ${this.key} cannot be replayed: it is ${this.state} and has not ended yet; wait for it, or cancel it`;
  }
}

const RunFinishedBase: Tagged<"RunFinished"> = tagged("RunFinished");
/** The run has ended: it takes no signal any more. */
export class RunFinished extends RunFinishedBase<{ readonly key: string }> {
  override get message(): string {
    return `run ${this.key} has ended and accepts no more signals`;
  }
}

const InboxFullBase: Tagged<"InboxFull"> = tagged("InboxFull");
/** Too many signals wait for the run to take them. */
export class InboxFull extends InboxFullBase<{ readonly key: string }> {
  override get message(): string {
    return `run ${this.key} accepts no more signals: 50,000 are waiting; send fewer, or receive them in a loop`;
  }
}
