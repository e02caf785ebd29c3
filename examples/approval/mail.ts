// A mail server that keeps its mails in a file and sends none twice for one key.
import { appendFile, readFile } from "node:fs/promises";

export interface Mail {
  readonly key: string;
  readonly to: string;
  readonly text: string;
}

const file = process.env["MAILS"] ?? "mails.jsonl";

export async function mails(): Promise<readonly Mail[]> {
  const text = await readFile(file, "utf8").catch(() => "");
  return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Mail]));
}

export async function mail(key: string, to: string, text: string): Promise<void> {
  if ((await mails()).some((sent) => sent.key === key)) return;
  await appendFile(file, `${JSON.stringify({ key, to, text })}\n`);
}
