// The client of the audit: enqueues one run a package, watches them and adds up what they bring.
import { type Natchet, RunFailed } from "../../src/mod.ts";
import type { PackageReport } from "./audit-package.ts";
import { findPackages } from "./find-packages.ts";
import { openProgress } from "./progress.ts";
import { addUp, type Totals, type Unreadable } from "./totals.ts";
import { AuditWorker } from "./worker.ts";

export interface AuditOptions {
  /** The absolute path of a node_modules folder. */
  readonly folder: string;
  readonly pauseMs: number;
}

/** Audits all packages of a folder; a package that cannot be read is listed and does not stop the others. */
export async function auditFolder(natchet: Natchet, { folder, pauseMs }: AuditOptions): Promise<Totals> {
  const paths = await findPackages(folder);
  const task = natchet.tasks(AuditWorker).auditPackage;
  const runs = await task.enqueueMany(paths.map((path) => ({ folder, path, pauseMs })));
  const reports: PackageReport[] = [];
  const unreadable: Unreadable[] = [];
  const watching = watch(natchet, paths.length, () => ({
    finished: reports.length + unreadable.length,
    failed: unreadable.length,
  }));
  await Promise.all(
    runs.map(async (run, at) => {
      try {
        reports.push(await run.result());
      } catch (error) {
        if (!(error instanceof RunFailed)) throw error;
        unreadable.push({ path: paths[at]!, error: error.error.message });
      }
    }),
  );
  await watching.end();
  return addUp(reports, unreadable);
}

// Asks the engine every 100 ms how many runs of the task wait and run. The bar is no part of the audit: an unanswered question is not an error.
function watch(natchet: Natchet, total: number, counts: () => { finished: number; failed: number }) {
  const view = openProgress();
  let hasEnded = false;
  const watching = (async () => {
    while (!hasEnded) {
      const queue = (await natchet.queues().catch(() => [])).find(({ task }) => task === "audit-package");
      if (!hasEnded) view.show({ ...counts(), total, running: queue?.running ?? 0, queued: queue?.queued ?? 0 });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  return {
    async end() {
      hasEnded = true;
      await watching;
      view.show({ ...counts(), total, running: 0, queued: 0 });
      view.end();
    },
  };
}
