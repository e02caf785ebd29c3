// One nats-server, one journal and the processes of a test, all stopped together.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type Natchet } from "../../src/mod.ts";
import { type Child, type Runtime, startScript } from "../support/child.ts";
import { Journal } from "../support/journal.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";

export interface WorkerInput {
  readonly runtime?: Runtime;
  readonly slots?: number;
  readonly engine?: "auto" | "off";
  readonly shutdownTimeout?: string;
  /** @default "worker.ts" */
  readonly fixture?: string;
}

export class Scene implements AsyncDisposable {
  readonly children: Child[] = [];
  readonly clients: Natchet[] = [];

  private constructor(
    readonly server: NatsServer,
    readonly directory: string,
    readonly namespace: string,
    readonly journal: Journal,
  ) {}

  static async open(namespace: string): Promise<Scene> {
    const directory = mkdtempSync(join(tmpdir(), "natchet-e2e-"));
    const server = await startNatsServer();
    return new Scene(server, directory, namespace, new Journal(join(directory, "journal.jsonl")));
  }

  /** Starts a worker process and waits until it is registered. */
  async worker(input: WorkerInput = {}): Promise<Child> {
    const child = this.#start(input.runtime ?? "bun", input.fixture ?? "worker.ts", {
      SLOTS: String(input.slots ?? 5),
      ENGINE: input.engine ?? "off",
      SHUTDOWN_TIMEOUT: input.shutdownTimeout ?? "30s",
    });
    await child.said("registered", 30_000);
    return child;
  }

  /** Starts a dedicated engine process; the first one is waited for until it leads. */
  async engine(role: "leader" | "standby", runtime: Runtime = "bun"): Promise<Child> {
    const child = this.#start(runtime, "engine.ts", {});
    await child.said(role === "leader" ? "engine leads" : "engine started", 30_000);
    return child;
  }

  async client(): Promise<Natchet> {
    const client = await connect({ url: this.server.url, namespace: this.namespace });
    this.clients.push(client);
    return client;
  }

  #start(runtime: Runtime, fixture: string, env: Record<string, string>): Child {
    const child = startScript(runtime, join(import.meta.dirname!, "fixtures", fixture), {
      env: { ...env, NATS_URL: this.server.url, NATCHET_NAMESPACE: this.namespace, JOURNAL: this.journal.path },
    });
    this.children.push(child);
    return child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()));
    await Promise.all(this.children.map((child) => child.kill()));
    await this.server.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
