// Deno raises an uncaught ECONNRESET after a server has refused an authentication and closed the socket, though the client has reported
// the refusal and let go of the socket. Uncaught, it would end the process.

/** Swallows that one error until the returned function is called, and a second longer. Does nothing on other runtimes. */
export function guardRefusedSocket(): () => void {
  if (!("Deno" in globalThis)) return () => {};
  const swallow = (event: ErrorEvent) => {
    const error = event.error as { code?: string; stack?: string } | undefined;
    if (error?.code === "ECONNRESET" && /onStreamRead/.test(error.stack ?? "")) event.preventDefault();
  };
  globalThis.addEventListener("error", swallow);
  return () => {
    const timer = setTimeout(() => globalThis.removeEventListener("error", swallow), 1_000);
    (timer as { unref?: () => void }).unref?.();
  };
}
