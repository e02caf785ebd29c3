// The keys of a command: from a module of the user's, never from the command line, which everybody on the machine can read.
import { resolve } from "node:path";
import * as Option from "effect/Option";
import { importFile } from "../discovery.ts";
import { keyIdOf } from "../domain/encryption.ts";
import { printable, printableJson } from "../domain/printable.ts";
import type { EncryptionOptions } from "../mod.ts";
import { UsageError } from "./flag-values.ts";
import type { SharedFlags } from "./root.ts";

const example = 'export const encryption = { current: "2026-11", keys: { "2026-11": process.env.TASK_KEY } }';

/** The path of the module, if there is one. */
export function encryptionModule({ encryption }: Pick<SharedFlags, "encryption">): string | undefined {
  const given = Option.getOrElse(encryption, () => process.env["NATCHET_ENCRYPTION"]);
  return given === undefined || given === "" ? undefined : resolve(given);
}

/** What it exports: the options, or a function that gives them. Fails: UsageError for a module without any, Error for one that cannot be imported */
export async function encryptionOf(
  flags: Pick<SharedFlags, "encryption">,
): Promise<{ readonly encryption?: EncryptionOptions }> {
  const file = encryptionModule(flags);
  if (file === undefined) return {};
  const { encryption, default: otherwise } = await importFile(file);
  const exported = encryption ?? otherwise;
  if (exported === undefined) throw new UsageError(`--encryption: ${file} exports no "encryption"; write ${example}`);
  return { encryption: (typeof exported === "function" ? await exported() : exported) as EncryptionOptions };
}

export const encrypted = (keyId: string): string => `encrypted (key ${printable(keyId)})`;

/** JSON, or which key opens it, with the fields that stand beside it. */
export function shownValue(value: unknown): string {
  const keyId = keyIdOf(value);
  if (keyId === undefined) return printableJson(value);
  const { $sealed: _, ...plain } = value as Record<string, unknown>;
  return encrypted(keyId) + (Object.keys(plain).length === 0 ? "" : ` beside ${printableJson(plain)}`);
}
