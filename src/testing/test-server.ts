// A server for one test, with a store of its own.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startOrAttach } from "../embedded/server.ts";
import { openScope } from "../facade/running-scope.ts";

/** A throw-away nats-server on loopback, with its own store. */
export interface TestServer extends AsyncDisposable {
  /** For `connect` and `start`. The login is in it; NATS's own client takes that as `token`. */
  readonly url: string;
  /** Stops it and removes its store. */
  stop(): Promise<void>;
}

/**
 * Starts a nats-server for tests.
 *
 * Fails: ServerBinaryNotFound, EmbeddedServerFailed
 * @example
 * ```ts
 * await using server = await testServer(); await start(HelloWorker, { url: server.url, signals: false })
 * ```
 */
export async function testServer(): Promise<TestServer> {
  const directory = mkdtempSync(join(tmpdir(), "natchet-test-"));
  const { value, close } = await openScope(startOrAttach({ directory }));
  const stop = async () => {
    await close();
    rmSync(directory, { recursive: true, force: true });
  };
  return { url: value.url, stop, [Symbol.asyncDispose]: stop };
}
