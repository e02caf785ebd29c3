// The services that Effect's CLI asks for, from Node's built-in modules: the same on Bun and Deno.
import { existsSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import * as Effect from "effect/Effect";
import * as FileSystem from "effect/FileSystem";
import * as Layer from "effect/Layer";
import * as Path from "effect/Path";
import * as PlatformError from "effect/PlatformError";
import { ChildProcessSpawner } from "effect/process";
import * as Queue from "effect/Queue";
import * as Sink from "effect/Sink";
import * as Stdio from "effect/Stdio";
import * as Stream from "effect/Stream";
import * as Terminal from "effect/Terminal";

const isTerminal = (stream: { isTTY?: boolean } | undefined) => Effect.sync(() => stream?.isTTY === true);
const writeTo = (stream: { write(chunk: string | Uint8Array): unknown }) => () =>
  // biome-ignore lint/suspicious/useIterableCallbackReturn: a sink that takes an effect for every chunk
  Sink.forEach((chunk: string | Uint8Array) => Effect.sync(() => void stream.write(chunk)));

const stdio = Layer.succeed(
  Stdio.Stdio,
  Stdio.make({
    args: Effect.sync(() => process.argv.slice(2)),
    stdinIsTerminal: isTerminal(process.stdin),
    stdoutIsTerminal: isTerminal(process.stdout),
    stderrIsTerminal: isTerminal(process.stderr),
    stdout: writeTo(process.stdout),
    stderr: writeTo(process.stderr),
    stdin: Stream.fromAsyncIterable(process.stdin as AsyncIterable<Uint8Array>, (cause) =>
      PlatformError.systemError({ _tag: "Unknown", module: "Stdio", method: "stdin", cause }),
    ),
  }),
);

const terminal = Layer.succeed(
  Terminal.Terminal,
  Terminal.make({
    columns: Effect.sync(() => process.stdout.columns ?? 80),
    rows: Effect.sync(() => process.stdout.rows ?? 24),
    size: Effect.acquireRelease(Queue.make<Terminal.Size>(), Queue.shutdown) as any,
    readInput: Effect.acquireRelease(Queue.make<Terminal.UserInput>(), Queue.shutdown) as any,
    readLine: Effect.callback<string, Terminal.QuitError>((resume) => {
      const lines = createInterface({ input: process.stdin });
      lines.once("line", (line) => {
        resume(Effect.succeed(line));
        lines.close();
      });
      lines.once("close", () => resume(Effect.fail(new Terminal.QuitError({}))));
      return Effect.sync(() => lines.close());
    }),
    display: (text) => Effect.sync(() => void process.stdout.write(text)),
  }),
);

const files = FileSystem.layerNoop({
  exists: (path) => Effect.sync(() => existsSync(path)),
  readFileString: (path) => Effect.sync(() => readFileSync(path, "utf8")),
});

const processes = Layer.succeed(
  ChildProcessSpawner.ChildProcessSpawner,
  ChildProcessSpawner.make(() => Effect.die("the command line starts its processes itself")),
);

export const CliPlatform = Layer.mergeAll(stdio, terminal, Path.layer, files, processes);
