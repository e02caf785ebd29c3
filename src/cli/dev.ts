// `natchet dev [glob…]`: server, engine and workers of a project, with hot reload. This process holds the server and the engine; the
// workers live in a child process that is replaced on every change.
import { fileURLToPath } from "node:url";
import * as Effect from "effect/Effect";
import { findFiles } from "../discovery.ts";
import { printable } from "../domain/printable.ts";
import { type ConnectOptions, type HealthOptions, startEngine } from "../mod.ts";
import { onStopSignal } from "../runtime/process.ts";
import { writeLine } from "../runtime/write-line.ts";
import { Command } from "./effect-cli.ts";
import { encryptionModule } from "./encryption.ts";
import { modulesOf } from "./module-graph.ts";
import { connectOptions, healthFlags, healthOptions, root } from "./root.ts";
import { resolutionFlags, runtimeFlags } from "./runtime-flags.ts";
import { Supervisor, type SupervisorOptions } from "./supervisor.ts";
import { type Watching, watchFiles } from "./watch-files.ts";
import { attempt } from "./with-client.ts";
import { chosenGlobs, globs } from "./worker.ts";

export const dev = Command.make(
  "dev",
  { globs, ...healthFlags },
  Effect.fn(function* ({ globs, ...flags }) {
    const shared = yield* root;
    const program = { ...connectOptions(shared), encryption: encryptionModule(shared) };
    yield* attempt(() => develop(globs, program, healthOptions(flags)));
  }),
).pipe(
  Command.withDescription("Run server, engine and the workers of this folder; changed files reload the workers"),
  Command.withExamples([{ command: "natchet dev src/workers/*.ts", description: "the workers of a folder" }]),
);

interface DevOptions extends Pick<ConnectOptions, "url" | "namespace"> {
  /** File of a module, for the workers: the engine has no keys. */
  readonly encryption: string | undefined;
}

async function develop(globs: readonly string[], program: DevOptions, health: HealthOptions): Promise<void> {
  const { encryption: _, ...options } = program;
  const patterns = chosenGlobs(globs);
  const stop = new StopSignals();
  const starting = startEngine({ ...options, signals: false, health: false });
  // There is nothing to drain yet, and a server being downloaded would keep Ctrl-C waiting.
  void stop.first.then(() => supervisor === undefined && process.exit(130));
  let supervisor: Supervisor | undefined;
  const engine = await starting;
  const flags = runtimeFlags();
  supervisor = new Supervisor({ ...workerProgram(flags, globs, program, health), say });
  const sources = new Sources(patterns, resolutionFlags(flags), (path) => {
    say(`${printable(path)} changed`);
    supervisor.replace();
  });
  supervisor.replace();
  await stop.first;
  sources.close();
  say("draining; press Ctrl-C again to stop at once");
  void stop.second.then(() => supervisor.stop());
  await supervisor.stop();
  await engine.stop();
  process.exit(0);
}

/** Watches the workers' sources: the folder, and the modules that they import, as far as known. */
class Sources {
  readonly #patterns: readonly string[];
  readonly #flags: readonly string[];
  readonly #watching: Watching;
  /** All that were ever imported: a module with a syntax error hides its imports. */
  readonly #modules = new Set<string>();
  #looking: Promise<void> = Promise.resolve();

  constructor(patterns: readonly string[], flags: readonly string[], onChange: (path: string) => void) {
    this.#patterns = patterns;
    this.#flags = flags;
    const changed = (path: string) => {
      onChange(path);
      this.#look();
    };
    const onIncomplete = ({ message }: Error) =>
      say(
        `not all folders are watched (${message}); add generated files to .gitignore, or raise the limit of watchers`,
      );
    this.#watching = watchFiles(process.cwd(), changed, { onIncomplete });
    this.#look();
  }

  #look(): void {
    this.#looking = this.#looking.then(async () => {
      const files = await findFiles(this.#patterns, process.cwd());
      for (const module of await modulesOf(files, this.#flags)) this.#modules.add(module);
      this.#watching.setModules(this.#modules);
    });
    this.#looking.catch((error: unknown) => say(`imported modules are not watched: ${String(error)}`));
  }

  close(): void {
    this.#watching.close();
  }
}

/** Ctrl-C and similar signals: the first and the second. */
class StopSignals {
  readonly #first = Promise.withResolvers<void>();
  readonly #second = Promise.withResolvers<void>();

  constructor() {
    onStopSignal(
      () => this.#first.resolve(),
      () => this.#second.resolve(),
    );
  }

  get first(): Promise<void> {
    return this.#first.promise;
  }

  get second(): Promise<void> {
    return this.#second.promise;
  }
}

const say = (line: string) => writeLine(`[dev] ${line}`);

/** The worker program and its environment, which has the address: a command line can be read by everybody on the machine. */
export function workerProgram(
  flags: readonly string[],
  globs: readonly string[],
  { url, namespace, encryption }: Partial<DevOptions>,
  { port, host }: HealthOptions,
): Pick<SupervisorOptions, "command" | "env"> {
  const main = new URL("./main.ts", import.meta.url);
  const command: SupervisorOptions["command"] = [
    process.execPath,
    ...flags,
    main.protocol === "file:" ? fileURLToPath(main) : main.href,
    ...(namespace === undefined ? [] : ["--namespace", namespace]),
    "worker",
    ...(port === undefined ? [] : ["--health-port", String(port)]),
    ...(host === undefined ? [] : ["--health-host", host]),
    ...globs,
  ];
  return {
    command,
    env: {
      NATCHET_ENGINE: "off",
      ...(url !== undefined && { NATS_URL: url }),
      ...(encryption !== undefined && { NATCHET_ENCRYPTION: encryption }),
    },
  };
}
