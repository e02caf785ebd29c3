// The state that an engine has folded is not the log's any more: it steps down and folds the log anew, loudly.
import assert from "node:assert/strict";
import { Effect } from "effect";
import type { Log } from "../../src/domain/log.ts";
import { makeEngine } from "../../src/engine/engine.ts";
import { makePublisher } from "../../src/nats/publisher.ts";
import { ensureStreams } from "../../src/nats/streams.ts";
import { noBytes } from "../../src/wire/bytes.ts";
import { encodeMessage } from "../../src/wire/messages.ts";
import { encodeRunEntry } from "../../src/wire/run-entry.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { inScene, type Scene } from "../nats/scene.ts";
import { test } from "../support/harness.ts";
import { waitFor } from "../support/wait-for.ts";

const subjects = new Subjects("test");
const entry = encodeRunEntry({
  form: 0,
  priority: 0,
  createdAt: 1,
  dueAt: 0,
  scheduleTimeoutMs: null,
  inbox: "",
  extra: undefined,
  input: noBytes,
});

function hearing(): { readonly log: Log; readonly errors: string[] } {
  const errors: string[] = [];
  const silent = () => {};
  return { errors, log: { debug: silent, info: silent, warn: silent, error: (message) => void errors.push(message) } };
}

async function streams({ link, run }: Scene) {
  const nats = await link();
  await run(ensureStreams(nats, subjects, { replicas: 1 }));
  const publisher = await run(makePublisher(nats));
  return { nats, publisher, enqueue: (id: string) => publisher.append(subjects.run("t", id), entry, 0) };
}

test(
  "engine: a log that was deleted and made anew is folded anew, and work goes on",
  () =>
    inScene(async (scene) => {
      const { nats, publisher, enqueue } = await streams(scene);
      const { log, errors } = hearing();
      const engine = await scene.run(makeEngine({ link: nats, publisher, subjects, log }));
      await engine.whenLeading();
      const ask = async (id: string) => {
        const reply = await nats.nc
          .request(subjects.engine("get"), encodeMessage({ key: `t/${id}` }), { timeout: 2_000 })
          .catch(() => undefined); // nobody leads
        return (reply?.json() as { run: { state: string } | null } | undefined)?.run;
      };
      for (const id of ["1", "2", "3"]) await enqueue(id);
      assert.equal((await ask("3"))?.state, "queued");
      await nats.nc.request(`$JS.API.STREAM.DELETE.${subjects.stream}`);
      await Effect.runPromise(ensureStreams(nats, subjects, { replicas: 1, recreate: true }));
      for (const id of ["1", "new"]) await enqueue(id);
      await waitFor(async () => (await ask("new"))?.state === "queued", 20_000, "the new log to be folded");
      assert.equal(await ask("3"), null);
      assert.deepEqual(errors, [
        "the log is not the one this engine has read; it steps down and reads it again from the start",
      ]);
    }),
  60_000,
);
