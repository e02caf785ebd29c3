// worker/durable/: the code of durable runs, one turn at a time.
// A turn of a durable run on its worker: it reads the journal, makes the frame of the current lap, and drives it until the run ends or is parked.
import { mayPass } from "./blocked.ts";
import { Frame } from "./frame.ts";
import { type JournalRecord, JournalWriter } from "./journal-writer.ts";
import { Lap, type TurnOfLap } from "./lap.ts";
import { type Offers, offersOf } from "./offers.ts";
import { type Opening, openingOf, type Ready } from "./opening.ts";
import { PendingCancel } from "./pending-cancel.ts";
import { Restart } from "./restart.ts";
import { refusedEnd, shorterEnd } from "./turn-ends.ts";
import type { KeptFrame, TurnEnd, TurnGiven, TurnHost } from "./turn-host.ts";

/** Code that starts within this time after its run was created counts as started at the creation, so the journal need not say when it started. */
const onTimeMs = 100;
const lookAgainMs = 250;

export class DurableTurn implements TurnOfLap {
  readonly host: TurnHost;
  readonly given: TurnGiven;
  readonly writer: JournalWriter;
  readonly wish: PendingCancel;
  isLeaving = false;
  readonly #onEnd: (end: TurnEnd) => void;
  /** What the log offers to the lap that was parked. */
  #offers: Offers | undefined;
  /** Undefined until the code can be called. */
  #lap: Lap | undefined;
  #isOver = false;

  constructor(host: TurnHost, given: TurnGiven, onEnd: (end: TurnEnd) => void) {
    this.host = host;
    this.given = given;
    this.writer = new JournalWriter(this);
    this.wish = new PendingCancel(given);
    this.#onEnd = onEnd;
  }

  /** Begins the turn; `kept` is the frame that an earlier turn has left on this worker. */
  begin(kept?: KeptFrame): void {
    void this.#begin(kept).catch((error) => this.refused(error));
  }

  /** Takes a wish to cancel; `sequence` and `time` are given if the wish is in the log. */
  cancel(reason: string, sequence = 0, time: number = this.host.clock.now()): void {
    if (this.#isOver || this.wish.isOpen || this.#lap?.frame.isCancelled) return;
    this.wish.make({ reason, time, sequence });
    this.#lap?.cancel(reason);
  }

  /** From now on no new step starts here; executing steps may end. */
  leave(): void {
    if (this.isLeaving || this.#isOver) return;
    this.isLeaving = true;
    this.#lap?.leave();
  }

  /** Like {@link leave}, and executing steps are told to stop. */
  giveBack(reason: unknown): void {
    this.leave();
    if (this.#lap === undefined) this.#end({ kind: "returned" });
    else this.#lap.giveUp(reason);
  }

  /** Gives the run back although its executing steps do not end. */
  abandon(reason: unknown): void {
    this.#end({ kind: "returned" }, reason);
  }

  /** Ends the turn because it no longer counts. */
  fence(reason: unknown): void {
    this.#end({ kind: "fenced" }, reason);
  }

  mayAppend(): boolean | Promise<boolean> {
    return this.host.isHeard() || this.#heard();
  }

  async store(record: JournalRecord): Promise<boolean> {
    const written = await this.writer.write(record);
    if (this.#isOver) return false;
    if (written === "stale") await this.#startOver();
    else if (written === "fenced") this.#end({ kind: "fenced" });
    return written === "stored";
  }

  lapEnded(end: TurnEnd | Restart): void {
    if (end instanceof Restart) void this.#restart(end).catch((error) => this.refused(error));
    else this.#end(end);
  }

  refused(error: unknown): void {
    if (!this.#isOver) this.#end(refusedEnd(this, error));
  }

  async #begin(kept: KeptFrame | undefined): Promise<void> {
    const offers = offersOf(this.given, this.host.openSignal);
    this.#offers = offers instanceof Promise ? await offers : offers;
    if (this.#isOver) return;
    if (kept !== undefined) this.#goOn(kept);
    else if (this.given.turn > 1) await this.#read(false);
    else await this.#beginFirst();
  }

  #goOn({ frame, lastSeq }: KeptFrame): void {
    this.writer.lastSeq = lastSeq;
    this.#lap = new Lap(this, frame, { offers: this.#offers });
    this.#lap.goOn();
  }

  async #beginFirst(): Promise<void> {
    const { createdAt: time } = this.given;
    if (this.host.clock.now() - time > onTimeMs) return this.#beginLate();
    this.writer.mustBegin = false;
    await this.#make({ start: { time } });
  }

  /** `isAgain`: an earlier read of this turn lacked newer messages. */
  async #read(isAgain: boolean): Promise<void> {
    const opening = await openingOf(this, isAgain);
    if (!this.#isOver) await this.#open(opening);
  }

  async #open(opening: Opening): Promise<void> {
    if (opening.kind === "fenced") return this.#end({ kind: "fenced" });
    if (opening.kind === "shorter") return this.#end(shorterEnd(this));
    if (opening.kind === "late") return this.#beginLate();
    this.writer.lastSeq = opening.lastSeq;
    await this.#make({ ...opening, offers: this.#offers });
  }

  /** Begins a run so late after its creation that the journal must say when the code started. */
  async #beginLate(): Promise<void> {
    const time = this.host.clock.now();
    const isStored = await this.store({ starts: true, time, deliveries: [] });
    if (isStored) await this.#make({ start: { time } });
  }

  async #make({ start, deliveries = [], waits = [], ...given }: Ready): Promise<void> {
    const { id, codeFor, input } = this.given;
    const { lap = 1, time, cursors = {} } = start;
    let code: (frame: Frame) => unknown;
    try {
      code = await codeFor(start.input ?? input);
    } catch (error) {
      return mayPass(error) ? this.refused(error) : this.#end({ kind: "failed", error });
    }
    if (this.#isOver) return;
    const frame = new Frame({ id, lap, time, cursors }, code);
    this.#lap = new Lap(this, frame, given);
    frame.begin(this.#lap, deliveries, waits);
  }

  /** Begins again from the journal, because somebody has appended to it since it was read. */
  async #startOver(): Promise<void> {
    this.#lap?.drop(new Error("the turn starts over"));
    this.#lap = undefined;
    this.#offers?.reset();
    this.writer.mustBegin = true;
    await this.#read(true);
  }

  async #restart({ input }: Restart): Promise<void> {
    const { frame } = this.#lap!;
    this.#lap!.drop(new Error("the method has ended"));
    const lap = { lap: frame.lap + 1, input, cursors: { ...frame.cursors } };
    const time = this.host.clock.now();
    if (!(await this.store({ lap, time, deliveries: [] }))) return;
    if (this.isLeaving) return this.#end({ kind: "returned" });
    await this.#make({ start: { ...lap, time } });
  }

  /** Resolves once the leader is heard again; false if the turn is over by then. */
  async #heard(): Promise<boolean> {
    while (!this.#isOver && !this.host.isHeard())
      await new Promise<void>((resolve) => this.host.clock.set(resolve, lookAgainMs));
    return !this.#isOver;
  }

  #end(end: TurnEnd, reason: unknown = new Error("the turn has ended")): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (end.kind === "parked" && end.kept !== undefined) this.#lap!.letGo(reason);
    else this.#lap?.drop(reason);
    this.#onEnd(end);
  }
}
