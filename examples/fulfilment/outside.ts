// Warehouse and carrier, as far as this example needs them: they keep what they did in a file, and do nothing twice for one key.
import { appendFile, readFile } from "node:fs/promises";

export interface Effect {
  readonly key: string;
  readonly what: string;
  readonly order: string;
}

const file = process.env["EFFECTS"] ?? "effects.jsonl";

export async function effects(): Promise<readonly Effect[]> {
  const text = await readFile(file, "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Effect]));
}

/** Does it, unless it was done under this key; takes a while, as networks do. */
export async function request(key: string, what: string, order: string): Promise<void> {
  const isDone = (await effects()).some((effect) => effect.key === key);
  if (!isDone) await appendFile(file, `${JSON.stringify({ key, what, order })}\n`);
  await new Promise((resolve) => setTimeout(resolve, 300));
}
