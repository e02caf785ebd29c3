// graphile-worker in the client and worker processes of the benchmark.
import { type JobHelpers, Logger, makeWorkerUtils, run, WorkerPreset } from "graphile-worker";
import type { Adapter, Input } from "../adapter.ts";

const task = "noop";

/** With the options of a worker that make one of its modes. */
export function graphileAdapter(mode: GraphileConfig.WorkerOptions): Adapter {
  return {
    async connect(url) {
      const utils = await makeWorkerUtils({ preset: presetOf(url, {}) });
      await utils.migrate();
      const specsOf = (inputs: readonly Input[], rest: object) =>
        inputs.map((payload) => ({ identifier: task, payload, ...rest }));
      return {
        add: (input) => utils.addJob(task, input),
        addMany: (inputs) => utils.addJobs(specsOf(inputs, {})),
        addDelayed: (inputs, due) => utils.addJobs(specsOf(inputs, { runAt: new Date(due) })),
        unfinished: () =>
          utils.withPgClient(async (client) => {
            const { rows } = await client.query<{ count: number }>(
              "select count(*)::int from graphile_worker._private_jobs",
            );
            return rows[0]!.count;
          }),
        close: async () => utils.release(),
      };
    },
    async work(url, slots, handle) {
      const runner = await run({
        preset: presetOf(url, {
          concurrentJobs: slots,
          maxPoolSize: slots + 2,
          ...mode,
        }),
        noHandleSignals: true,
        taskList: {
          [task]: async (payload: unknown, { job, logger }: JobHelpers) => {
            await handle(payload as Input, { attempt: job.attempts, log: (line) => logger.info(line) });
          },
        },
      });
      return { stop: () => runner.stop() };
    },
  };
}

function presetOf(connectionString: string, worker: GraphileConfig.WorkerOptions): GraphileConfig.Preset {
  return { extends: [WorkerPreset], worker: { connectionString, logger: new Logger(logFactory), ...worker } };
}

const logFactory = () => (level: string, message: string) => {
  if (level === "error" || level === "warning") console.error(message);
};
