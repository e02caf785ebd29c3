// The runtime flags that this process was started with, to pass on to child processes.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

interface DenoPermissions {
  readonly permissions: { querySync(descriptor: { readonly name: string }): { readonly state: string } };
}
declare const Deno: DenoPermissions | undefined;
declare const Bun: object | undefined;

/** `["run", "--preload", "./setup.ts"]`: everything between the runtime and the script. */
export function runtimeFlags(): string[] {
  if (typeof Deno === "undefined")
    return [...(typeof Bun === "undefined" ? [] : ["run"]), ...inherited(process.execArgv)];
  return ["run", "--quiet", ...inherited(denoFlags(commandLine()) ?? grantedFlags(Deno))];
}

/** The Deno flags about module resolution, which `deno info` takes as well. */
export function resolutionFlags(flags: readonly string[]): string[] {
  return flags.flatMap((flag, at) => {
    if (/^--(?:config|import-map|node-modules-dir|no-config|no-lock)(?:=|$)/.test(flag) || flag === "-c")
      return flag === "-c" || flag === "--config" || flag === "--import-map" ? [flag, flags[at + 1]!] : [flag];
    return [];
  });
}

/** Reloading is ours, and a debugger needs a port of its own in each process. */
function inherited(flags: readonly string[]): string[] {
  return flags
    .filter((flag) => !/^--(?:watch|hot|no-clear-screen)(?:=|$)/.test(flag) && flag !== "--quiet" && flag !== "-q")
    .map((flag) => flag.replace(/^(--inspect(?:-brk|-wait)?)(?:=.*)?$/, "$1=127.0.0.1:0"));
}

/** Deno does not expose its flags: take what precedes the script in the process's command line. */
function denoFlags(words: readonly string[] | undefined): string[] | undefined {
  if (words === undefined) return undefined;
  const script = words.length - process.argv.slice(2).length - 1;
  const flags = words.slice(1, script);
  return script < 1 ? undefined : flags.slice(flags[0]?.startsWith("-") === false ? 1 : 0);
}

function commandLine(): string[] | undefined {
  try {
    return readFileSync("/proc/self/cmdline", "utf8").replace(/\0$/, "").split("\0");
  } catch {
    return fromProcessList();
  }
}

/** Without /proc. Arguments with spaces cannot be recognized there. */
function fromProcessList(): string[] | undefined {
  try {
    const text = execFileSync("ps", ["-ww", "-o", "args=", "-p", String(process.pid)], { encoding: "utf8" });
    return text.trim().split(/\s+/);
  } catch {
    return undefined;
  }
}

/** The process may not read its command line: only its permissions as a whole. */
function grantedFlags({ permissions }: DenoPermissions): string[] {
  const names = ["read", "write", "net", "env", "run", "sys", "ffi", "import"];
  return names.filter((name) => permissions.querySync({ name }).state === "granted").map((name) => `--allow-${name}`);
}
