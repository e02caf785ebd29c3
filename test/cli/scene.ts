// A folder of its own for a command line, with the worker files of a test in it.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Child, type Runtime, root, startScript } from "../support/child.ts";

export const runtimes: readonly Runtime[] = ["bun", "deno"];
export const mod = join(root, "src", "mod.ts");
const main = join(root, "src", "cli", "main.ts");

export interface CommandResult {
  readonly code: number | null;
  readonly output: string;
}

/** Where it is run, and under which flags of the runtime; then the words of the command. */
type CommandLine =
  | readonly string[]
  | readonly [{ readonly in?: string; readonly flags?: readonly string[] }, ...string[]];

export class CliScene {
  readonly folder: string;
  readonly #runtime: Runtime;
  readonly #env: Record<string, string>;
  readonly #children: Child[] = [];

  private constructor(folder: string, runtime: Runtime, env: Record<string, string>) {
    this.folder = folder;
    this.#runtime = runtime;
    this.#env = env;
  }

  static async open(runtime: Runtime, env: Record<string, string> = {}): Promise<CliScene> {
    return new CliScene(await mkdtemp(join(tmpdir(), "natchet-cli-")), runtime, env);
  }

  async write(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.folder, path)), { recursive: true });
    await writeFile(join(this.folder, path), text);
  }

  /** Starts a command that goes on. */
  start(...args: CommandLine): Child {
    const [first, ...rest] = args;
    const { in: folder = ".", flags = [] } = typeof first === "object" ? first : {};
    const child = startScript(this.#runtime, main, {
      args: typeof first === "object" ? (rest as string[]) : (args as string[]),
      env: this.#env,
      cwd: join(this.folder, folder),
      flags,
    });
    this.#children.push(child);
    return child;
  }

  /** Runs a command to its end. */
  async natchet(...args: CommandLine): Promise<CommandResult> {
    const child = this.start(...args);
    const code = await child.exited;
    return { code, output: child.output() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#children.map((child) => child.kill()));
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** The text of a worker file: the task "version" answers with `answer`. */
export function versionWorker(answer: string): string {
  return `import { Task, Worker } from ${JSON.stringify(mod)};
@Worker(5)
export class VersionWorker {
  @Task("version")
  async version() { return ${JSON.stringify(answer)}; }
  @Task("fail")
  async fail() { throw new Error("this task always fails"); }
  @Task("echo")
  async echo(input: unknown) { return input; }
  @Task("slow")
  async slow(input: { ms: number }) { await new Promise((resolve) => setTimeout(resolve, input.ms)); return "slow " + ${JSON.stringify(answer)}; }
  @Task("talk", { retries: { limit: 1, backoff: "fixed", base: 10 } })
  async talk(input: unknown, ctx: { attempt: number; log: { info(text: string, fields?: object): void }; stream(chunk: unknown): Promise<void> }) {
    ctx.log.info("attempt " + ctx.attempt, { color: "light blue" });
    for (const chunk of ["to", "ken ", { attempt: ctx.attempt }]) await ctx.stream(chunk);
    if (ctx.attempt === 1) throw new Error("once more");
  }
}
`;
}
