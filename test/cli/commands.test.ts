import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, test } from "../support/harness.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { CliScene, runtimes, versionWorker } from "./scene.ts";

const wrong: readonly (readonly [args: readonly string[], message: RegExp])[] = [
  [["runs", "list", "--limit", "0"], /--limit: 0 is less than 1, for example --limit 50/],
  [["crons", "set", "a", "b", "* * * * *", "--input", "{bad"], /--input is not valid JSON/],
  [["crons", "set", "a", "b", "* * *"], /"\* \* \*" is not a valid schedule; .* with seconds first\n/],
  [["run", "a", "1", "--priority", "12"], /--priority: 12 is not from 1 to 9, for example --priority 3/],
  [["runs", "reschedule", "a", "b", "--at", "tomorrow"], /--at: "tomorrow" is not a time, for example --at 2030-/],
];

describe("natchet on the command line", () => {
  let server: NatsServer;
  beforeAll(async () => {
    server = await startNatsServer();
  });
  afterAll(() => server.stop());

  for (const runtime of runtimes) {
    const openScene = (namespace: string) =>
      CliScene.open(runtime, { NATS_URL: server.url, NATCHET_NAMESPACE: `${namespace}-${runtime}` });

    test(`run prints the output; a failed run ends with 1 and its error, on ${runtime}`, async () => {
      await using scene = await openScene("run");
      await scene.write("worker.ts", versionWorker("one"));
      const worker = scene.start("worker");
      assert.deepEqual(await scene.natchet("run", "version"), { code: 0, output: '"one"\n' });
      assert.deepEqual(await scene.natchet("run", "echo", '{"a":[1,2]}'), { code: 0, output: '{"a":[1,2]}\n' });
      const failed = await scene.natchet("run", "fail");
      assert.equal(failed.code, 1);
      assert.match(failed.output, /this task always fails/);
      assert.match(failed.output, /\n +at .*worker\.ts:/, "the line that failed");
      const invalid = await scene.natchet("run", "echo", "{oops");
      assert.equal(invalid.code, 2);
      assert.match(invalid.output, /the input is not valid JSON .*for example '\{"name":"Ada"\}'/);
      worker.send("SIGTERM");
      assert.equal(await worker.exited, 0, worker.output());
    }, 90_000);

    test(`runs, workers, tasks and queues show what there is, on ${runtime}`, async () => {
      await using scene = await openScene("lists");
      await scene.write("workers/version.ts", versionWorker("one"));
      scene.start("worker");
      const enqueued = await scene.natchet("run", "version", "--id", "first", "-m", "team=a", "--priority", "3");
      assert.equal(enqueued.code, 0, enqueued.output);
      const child = ["-m", "natchet.parent=version/first"];
      const later = await scene.natchet("run", "version", "--id", "later", "--delay", "1h", "--no-wait", ...child);
      assert.deepEqual(later, { code: 0, output: "version/later\n" });

      const listed = JSON.parse((await scene.natchet("runs", "list", "-o", "json")).output);
      assert.deepEqual(listed.map((run: { id: string; state: string }) => `${run.id} ${run.state}`).sort(), [
        "first completed",
        "later scheduled",
      ]);
      const filtered = await scene.natchet("runs", "list", "--state", "completed", "-m", "team=a");
      assert.match(filtered.output, /^TASK +ID +STATE/);
      assert.match(filtered.output, /^version +first +completed/m);
      assert.doesNotMatch(filtered.output, /later/);
      const shown = (await scene.natchet("runs", "get", "version", "first")).output;
      assert.match(shown, /^output +"one"$/m);
      assert.match(shown, /^children +1, 0 of them finished; see: natchet runs timeline version first$/m);
      const moved = await scene.natchet("runs", "reschedule", "version", "later", "--delay", "2h");
      assert.match(moved.output, /^version\/later scheduled, due 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d\n$/);
      assert.equal((await scene.natchet("runs", "cancel", "version", "later")).code, 0);
      const ended = await scene.natchet("runs", "list", "--reason", "on the command line");
      assert.match(ended.output, /^version +later +cancelled .* cancelled on the command line$/m);

      assert.match((await scene.natchet("workers")).output, /VersionWorker +0 +(?:\d+ ms +)?5 +ready/);
      assert.match((await scene.natchet("tasks")).output, /^echo +VersionWorker +0 +0$/m);
      const queues = JSON.parse((await scene.natchet("queues", "-o", "json")).output);
      assert.ok(queues.some((queue: { task: string }) => queue.task === "version"));
    }, 120_000);

    test(`pause and resume, and what a waiting run says, on ${runtime}`, async () => {
      await using scene = await openScene("pauses");
      await scene.write("worker.ts", versionWorker("one"));
      scene.start("worker");
      assert.equal((await scene.natchet("run", "version")).code, 0);
      const paused = await scene.natchet("pause", "--task", "version");
      assert.deepEqual(paused, { code: 0, output: "paused: task version\n" });
      await scene.natchet("run", "version", "--id", "a", "--no-wait");
      const waiting = await scene.natchet("runs", "get", "version", "a");
      assert.match(waiting.output, /^waiting +for resume: task "version" is paused, number 1 in the queue$/m);
      assert.match((await scene.natchet("queues")).output, /^version .* yes /m);
      const resumed = await scene.natchet("resume", "--task", "version");
      assert.deepEqual(resumed, { code: 0, output: "nothing is paused\n" });
      assert.equal((await scene.natchet("run", "version", "--id", "a")).output, '"one"\n');
      const misspelt = await scene.natchet("pause", "--task", "versoin");
      assert.equal(misspelt.code, 0);
      assert.match(misspelt.output, /^paused: task versoin$/m);
      assert.match(misspelt.output, /warning: no connected worker has the task "versoin"; did you mean "version"\?/);
      await scene.natchet("pause", "--worker", "w1");
      await scene.natchet("pause", "--all");
      assert.deepEqual(await scene.natchet("resume", "--all"), { code: 0, output: "nothing is paused\n" });
      const unclear = await scene.natchet("pause");
      assert.equal(unclear.code, 2);
      assert.match(unclear.output, /pause what\? Give one of --task hello, --worker email and --all/);
    }, 120_000);

    test(`runs logs and runs stream print what a run said, on ${runtime}`, async () => {
      await using scene = await openScene("talk");
      await scene.write("worker.ts", versionWorker("one"));
      scene.start("worker");
      assert.equal((await scene.natchet("run", "talk", "--id", "a/b")).code, 0);
      const { output } = await scene.natchet("runs", "logs", "talk", "a/b");
      assert.match(
        output,
        /^[\dT:.+-]+ #1 info {2}attempt 1 color="light blue"\n[\dT:.+-]+ #2 info {2}attempt 2 color=\S+ \S+\n$/,
      );
      const json = await scene.natchet("runs", "logs", "talk", "a/b", "--follow", "--attempt", "2", "-o", "json");
      assert.equal(JSON.parse(json.output).message, "attempt 2");
      const all = await scene.natchet("runs", "stream", "talk", "a/b");
      assert.deepEqual(all, { code: 0, output: 'token {"attempt":1}\ntoken {"attempt":2}\n' });
      const newest = await scene.natchet("runs", "stream", "talk", "a/b", "--attempt", "newest");
      assert.equal(newest.output, 'token {"attempt":2}\n');
      const unknown = await scene.natchet("runs", "logs", "talk", "nobody");
      assert.equal(unknown.code, 1);
      assert.match(unknown.output, /run talk\/nobody is not known/);
      const wrong = await scene.natchet("runs", "logs", "talk", "a/b", "--attempt", "none");
      assert.match(wrong.output, /--attempt: "none" is neither a number from 1 nor "newest"/);
    }, 120_000);

    test(`run says when nobody has the task, and ends at --timeout, on ${runtime}`, async () => {
      await using scene = await openScene("alone");
      const { code, output } = await scene.natchet("run", "unheard-of", "--timeout", "9s");
      assert.equal(code, 1);
      assert.match(output, /no worker or engine is running in namespace|no worker has the task "unheard-of"/);
      assert.match(output, /no output after 9s, the run continues; see: natchet runs get unheard-of /);
    }, 60_000);

    test(`a wrong command line ends with 2, and with its help on stderr alone, on ${runtime}`, async () => {
      await using scene = await CliScene.open(runtime, { NATS_URL: "nats://127.0.0.1:1" }); // nothing is connected to
      const unknown = scene.start("runs", "lst");
      assert.equal(await unknown.exited, 2);
      assert.equal(unknown.stdout(), "");
      assert.match(
        unknown.output(),
        /error: Unknown subcommand "lst" .*Did you mean this\?\n +list\n.*Usage: natchet runs/s,
      );
      const help = scene.start("help", "runs", "list");
      assert.equal(await help.exited, 0);
      assert.match(help.stdout(), /USAGE\n {2}natchet runs list/);
      for (const [args, message] of wrong) {
        const { code, output } = await scene.natchet(...args);
        assert.equal(code, 2, output);
        assert.match(output, message);
      }
    }, 90_000);

    test(`a command that only asks starts no server, and says where it looked, on ${runtime}`, async () => {
      await using scene = await CliScene.open(runtime);
      const { code, output } = await scene.natchet("runs", "list");
      assert.equal(code, 1);
      assert.match(output, /no NATS server is running: .*none in \S+\.natchet; start a worker there/);
      assert.deepEqual(await readdir(scene.folder), []);
    }, 60_000);

    test(`a server that does not answer is named, on ${runtime}`, async () => {
      await using scene = await openScene("nobody");
      const { code, output } = await scene.natchet("--server", "nats://127.0.0.1:1", "queues");
      assert.equal(code, 1);
      assert.match(output, /127\.0\.0\.1:1/);
      assert.doesNotMatch(output, /^ +at /m);
    }, 60_000);
  }
});
