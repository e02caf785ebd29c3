// What an engine answers when its term ends while it works on the answer.
import assert from "node:assert/strict";
import { silentLog } from "../../src/domain/log.ts";
import { openTerm } from "../../src/leader/term.ts";
import { answersTo } from "../../src/requests/answers.ts";
import { encodeMessage, transientErrors } from "../../src/wire/messages.ts";
import { Subjects } from "../../src/wire/subjects.ts";
import { inScene } from "../nats/scene.ts";
import { test } from "../support/harness.ts";

test("answers: what was done or failed in a term that is over is not told, though the same engine leads again", () =>
  inScene(async (nats) => {
    const link = await nats.link();
    const subjects = new Subjects("test");
    let [term, next] = [await nats.run(openTerm(1, silentLog)), await nats.run(openTerm(2, silentLog))];
    const inItsPlace = (said: () => unknown) => async () => {
      await Promise.resolve();
      term.end();
      [term, next] = [next, await nats.run(openTerm(9, silentLog))];
      return said();
    };
    let reply: () => any;
    const leader = {
      ...{ link, subjects, log: silentLog },
      get term() {
        return term;
      },
    };
    await nats.run(answersTo(leader, "get", () => reply()));
    const ask = async (said: () => any) => {
      reply = said;
      return (
        await link.nc.request(subjects.engine("get"), encodeMessage({ key: "t/a" }), { timeout: 5_000 })
      ).json<any>();
    };
    const couldNot = () => {
      throw new RangeError("could not be stored");
    };
    assert.deepEqual(await ask(() => ({ done: 1 })), { done: 1 });
    assert.equal((await ask(couldNot)).error.name, "RangeError");
    for (const said of [() => ({ done: 2 }), couldNot]) {
      const { error } = await ask(inItsPlace(said));
      assert.ok(transientErrors.has(error.name), error.name);
    }
  }));
