// Checked by the compiler as workers.ts is: what `start` takes.
import { scan } from "../../decorators/mod.ts";
import { type ClassTasks, start } from "../../src/mod.ts";
import type { Good } from "./durable.ts";
import { Dependent, Fine, Most } from "./workers.ts";

class Plain {}
class OnlyFields {
  name = "x";
}
declare const dynamic: (new () => object)[];
export async function starts(): Promise<void> {
  await start(Fine);
  await start([Most, new Dependent({ from: "me" })], { shutdownTimeout: "2m" });
  await start(dynamic);
  await start([]);
  await start(scan(Most));
  // @ts-expect-error a class without a task
  await start(Plain);
  // @ts-expect-error fields are no tasks
  await start(OnlyFields);
  // @ts-expect-error its constructor needs arguments
  await start(Dependent);
  // @ts-expect-error one of them needs arguments
  await start([Most, Dependent]);
  // @ts-expect-error an instance without a method
  await start(new Plain());
  // @ts-expect-error a function is no worker
  await start(() => new Fine());
}

declare const durable: ClassTasks<Good>;
void durable.go.run({ a: "x" }).then((cents: number) => cents);
void durable.laps.run(1).then((n) => n.toFixed());
// @ts-expect-error wrong input
void durable.go.run({ a: 1 });
