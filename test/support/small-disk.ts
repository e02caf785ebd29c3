// A nats-server whose writes fail beyond a file size, as they do on a full disk. A disk of its own would need a mount, and root.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findServerBinary } from "../../src/embedded/binary.ts";

export interface SmallDisk {
  /** The program to start in place of nats-server. */
  readonly program: string;
  /** There is room from the server's next start on. */
  grow(): void;
  remove(): void;
}

/** Files of more than 512 KiB cannot be written. */
export async function makeSmallDisk(): Promise<SmallDisk> {
  const { path } = await findServerBinary();
  const directory = mkdtempSync(join(tmpdir(), "natchet-small-disk-"));
  const program = join(directory, "nats-server");
  const full = join(directory, "full");
  writeFileSync(full, "");
  // Units of sh: 512 bytes.
  writeFileSync(program, `#!/bin/sh\n[ -e ${full} ] && ulimit -f 1024\nexec ${path} "$@"\n`);
  chmodSync(program, 0o755);
  return { program, grow: () => rmSync(full), remove: () => rmSync(directory, { recursive: true }) };
}
