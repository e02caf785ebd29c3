// Two errors that Deno leaves uncaught when a server refuses a connection, and that would end the process: an ECONNRESET after a refused login,
// although the client has reported the refusal and let go of the socket; and the alert for a refused client certificate, which comes when the
// client is not listening.

/** Swallows those errors until one second after the returned function is called. Does nothing on other runtimes. */
export function guardRefusedSocket(): () => void {
  if (!("Deno" in globalThis)) return () => {};
  const swallow = (event: ErrorEvent) => {
    const error = event.error as { code?: string; message?: string; stack?: string } | undefined;
    const isReset = error?.code === "ECONNRESET" && /onStreamRead/.test(error.stack ?? "");
    if (isReset || /^received fatal alert/.test(error?.message ?? "")) event.preventDefault();
  };
  globalThis.addEventListener("error", swallow);
  return () => {
    const timer = setTimeout(() => globalThis.removeEventListener("error", swallow), 1_000);
    (timer as { unref?: () => void }).unref?.();
  };
}
