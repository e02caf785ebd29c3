// What differs between Bun, Deno and Node, and what a process is told by signals.
declare const Bun: { readonly version: string } | undefined;
declare const Deno: { readonly version: { readonly deno: string } } | undefined;

/** Whether `terminate()` stops a thread that computes; on Deno it goes on until its code has ended, and `exit` is told before. */
export const interruptsThreads = (): boolean => typeof Deno === "undefined";

/** For example `bun 1.4.5`. */
export function runtimeName(): string {
  if (typeof Bun !== "undefined") return `bun ${Bun.version}`;
  if (typeof Deno !== "undefined") return `deno ${Deno.version.deno}`;
  return `node ${process.versions.node}`;
}

/** Calls back on the first SIGTERM or SIGINT; the second ends the process at once. Returns the function that stops listening. */
export function onStopSignal(stop: (signal: string) => void): () => void {
  let isStopping = false;
  const listener = (signal: string) => {
    if (isStopping) process.exit(130);
    isStopping = true;
    stop(signal);
  };
  const onTerm = () => listener("SIGTERM");
  const onInt = () => listener("SIGINT");
  process.on("SIGTERM", onTerm);
  process.on("SIGINT", onInt);
  return () => {
    process.off("SIGTERM", onTerm);
    process.off("SIGINT", onInt);
  };
}

export const exitProcess = (code: number): never => process.exit(code);
