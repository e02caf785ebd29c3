// `natchet dev [glob…]`: server, engine and workers of a project, with hot reload. This process holds the server and the engine; the
// workers live in a child process that is replaced on every change.
import { fileURLToPath } from "node:url";
import { Effect } from "effect";
import { type ConnectOptions, type HealthOptions, startEngine } from "../mod.ts";
import { Command } from "./effect-cli.ts";
import { connectOptions, healthFlags, healthOptions, root } from "./root.ts";
import { Supervisor } from "./supervisor.ts";
import { watchFiles } from "./watch-files.ts";
import { attempt } from "./with-client.ts";
import { globs } from "./worker.ts";

export const dev = Command.make(
  "dev",
  { globs, ...healthFlags },
  Effect.fn(function* ({ globs, ...flags }) {
    const options = connectOptions(yield* root);
    yield* attempt(() => develop(globs, options, healthOptions(flags)));
  }),
).pipe(
  Command.withDescription("Run server, engine and workers of this folder, and reload the workers when a file changes"),
  Command.withExamples([{ command: "natchet dev src/workers/*.ts", description: "the workers of a folder" }]),
);

async function develop(globs: readonly string[], options: ConnectOptions, health: HealthOptions): Promise<void> {
  const stopSignal = nextSignal();
  const engine = await startEngine({ ...options, signals: false, health: false });
  const supervisor = new Supervisor({
    command: workerCommand(globs, options, health),
    // Not on the command line, which everybody on this machine can read.
    env: { NATCHET_ENGINE: "off", ...(options.url !== undefined && { NATS_URL: options.url }) },
    say,
  });
  const watching = watchFiles(process.cwd(), (path) => {
    say(`${path} changed`);
    supervisor.replace();
  });
  supervisor.replace();
  await stopSignal;
  watching.close();
  say("draining; press Ctrl-C again to stop at once");
  void nextSignal().then(() => supervisor.stop());
  await supervisor.stop();
  await engine.stop();
  process.exit(0);
}

const say = (line: string) => console.error(`[dev] ${line}`);

function nextSignal(): Promise<void> {
  return new Promise((resolve) => {
    const heard = () => {
      process.off("SIGINT", heard);
      process.off("SIGTERM", heard);
      resolve();
    };
    process.on("SIGINT", heard);
    process.on("SIGTERM", heard);
  });
}

function workerCommand(
  globs: readonly string[],
  { namespace }: ConnectOptions,
  { port, host }: HealthOptions,
): [string, ...string[]] {
  const main = new URL("./main.ts", import.meta.url);
  return [
    process.execPath,
    ...("Bun" in globalThis ? ["run"] : ["run", "-A", "--quiet"]),
    main.protocol === "file:" ? fileURLToPath(main) : main.href,
    ...(namespace === undefined ? [] : ["--namespace", namespace]),
    "worker",
    ...(port === undefined ? [] : ["--health-port", String(port)]),
    ...(host === undefined ? [] : ["--health-host", host]),
    ...globs,
  ];
}
