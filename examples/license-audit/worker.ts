// The worker of the audit: one run audits one package. As a process of its own: `bun run examples/license-audit/worker.ts`
import { start, Task, type TaskContext, Worker } from "../../src/mod.ts";
import { auditPackage, type PackageReport } from "./audit-package.ts";

export interface AuditInput {
  /** The absolute path of the node_modules folder. */
  readonly folder: string;
  /** The package's path in it. */
  readonly path: string;
  /** How long to rest after the audit, to watch the slots at work; 0 by default. */
  readonly pauseMs?: number;
}

@Worker({ name: "license-audit", slots: Number(process.env.AUDIT_SLOTS ?? 5) })
export class AuditWorker {
  @Task("audit-package", { timeout: "1m", scheduleTimeout: null })
  async auditPackage(input: AuditInput, ctx: TaskContext): Promise<PackageReport> {
    const report = await auditPackage(input.folder, input.path);
    if (input.pauseMs) await rest(input.pauseMs, ctx.signal);
    return report;
  }
}

function rest(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

if (import.meta.main) await (await start(AuditWorker)).stopped;
