// The watch on all streams of a namespace: it logs once what is wrong with one of them, and when that is over.
import type { Log } from "../domain/log.ts";
import type { Subjects } from "../wire/subjects.ts";
import type { NatsLink } from "./link.ts";
import { type StreamTrouble, StreamWatch, whatToDo } from "./stream-watch.ts";

export interface StoreWatchParts {
  readonly link: NatsLink;
  readonly subjects: Subjects;
  readonly log: Log;
  /** Recreates a deleted stream. Returns false if that is not allowed. */
  readonly remake: (stream: string) => Promise<boolean>;
}

const everyMs = 2_000;
const remakeAgainMs = 1_000;

export class StoreWatch {
  /** The log of the namespace. */
  readonly runs: StreamWatch;
  readonly bucket: StreamWatch;
  readonly lease: StreamWatch;
  readonly #streams: readonly StreamWatch[];
  readonly #parts: StoreWatchParts;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(parts: StoreWatchParts) {
    const { link, subjects } = parts;
    const { bucket, bucketStream, lease, leaseStream, stream } = subjects;
    this.#parts = parts;
    this.runs = new StreamWatch(link, stream, subjects.unusedRun);
    this.bucket = new StreamWatch(link, bucketStream, `$KV.${bucket}.none`);
    this.lease = new StreamWatch(link, leaseStream, `${lease}.none`);
    this.#streams = [this.runs, this.bucket, this.lease];
    for (const watched of this.#streams) watched.onChange(() => this.#changed(watched));
    let turn = 0;
    // A process that stores nothing has no other way to notice.
    this.#timer = setInterval(() => {
      void this.runs.look();
      void (turn++ % 2 === 0 ? this.bucket : this.lease).look();
    }, everyMs);
  }

  /** The first trouble that is known. */
  get trouble(): StreamTrouble | undefined {
    return this.#streams.find(({ trouble }) => trouble !== undefined)?.trouble;
  }

  /** The first trouble that is known after a look at the log. */
  async findOut(): Promise<StreamTrouble | undefined> {
    await this.runs.findOut();
    return this.trouble;
  }

  close(): void {
    clearInterval(this.#timer);
    for (const watched of this.#streams) watched.close();
  }

  #changed(watched: StreamWatch): void {
    const { log } = this.#parts;
    const { trouble, stream } = watched;
    if (trouble === undefined) log.warn("the store is working again", { stream });
    else if (trouble.fault === "gone") void this.#remake(watched);
    else log.error(whatToDo(trouble));
  }

  async #remake(watched: StreamWatch): Promise<void> {
    const { log, remake } = this.#parts;
    const { stream } = watched;
    for (let { trouble } = watched; trouble?.fault === "gone"; trouble = watched.trouble) {
      try {
        if (!(await remake(stream))) {
          log.error(whatToDo(trouble));
          return;
        }
        log.error("a stream was deleted and is recreated empty", { stream });
        await watched.look();
      } catch (error) {
        log.error("a stream was deleted and could not be recreated yet", { stream, error });
      }
      await new Promise((resolve) => setTimeout(resolve, remakeAgainMs));
    }
  }
}
