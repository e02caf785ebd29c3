// The home of an embedded server: the folder `.natchet`, and what its files say about the server that is running there.
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { randomToken } from "../domain/random-token.ts";

/** Where the server of a directory answers; written by its owner, read by the other processes of this user. */
export interface Address {
  /** Includes the token. */
  readonly url: string;
  readonly port: number;
  /** The server's own process. */
  readonly pid: number;
  /** The server's id, new at every start: an address whose server answers with another id is stale. */
  readonly id: string;
  readonly version: string;
}

/**
 * The directory of an embedded server (`.natchet`): its store (`jetstream/`), lock, log, address and token. Only this user may read it, because
 * whoever has the token may do anything.
 */
export class Home {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = resolve(directory);
  }

  get lock(): string {
    return join(this.directory, "server.lock");
  }
  get log(): string {
    return join(this.directory, "server.log");
  }
  get configuration(): string {
    return join(this.directory, "server.conf");
  }
  get #addressFile(): string {
    return join(this.directory, "url.json");
  }
  get #tokenFile(): string {
    return join(this.directory, "token");
  }

  /** Creates what a server needs before it starts. The directory's own .gitignore keeps all of it out of version control. */
  prepare(): void {
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    this.#closeToOthers();
    const ignore = join(this.directory, ".gitignore");
    if (!existsSync(ignore)) writeFileSync(ignore, "*\n");
    this.#replace(this.configuration, `${configuration}authorization { token: "${this.token()}" }\n`);
  }

  /**
   * The token with which clients log in to this directory's server. It is made once and kept for every later start, so that connected clients
   * can reconnect.
   */
  token(): string {
    const there = this.#readToken();
    if (there !== undefined) return there;
    this.#makeToken(`${randomToken(40)}\n`);
    const made = this.#readToken();
    if (made === undefined) throw new Error(`${this.#tokenFile} cannot be read`);
    return made;
  }

  /** If several processes start at once, the token of one of them counts, and none reads a half-written file. */
  #makeToken(text: string): void {
    const temporary = `${this.#tokenFile}.${process.pid}.${randomToken(8)}`;
    writeFileSync(temporary, text, { mode: 0o600 });
    try {
      if (existsSync(this.#tokenFile))
        renameSync(temporary, this.#tokenFile); // the file is damaged
      else linkSync(temporary, this.#tokenFile);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return;
      writeFileSync(this.#tokenFile, text, { mode: 0o600, flag: "wx" }); // the file system has no hard links
    } finally {
      rmSync(temporary, { force: true });
    }
  }

  #readToken(): string | undefined {
    try {
      return /^[0-9a-z]{40}(?=\n$)/.exec(readFileSync(this.#tokenFile, "utf8"))?.[0];
    } catch {
      return undefined;
    }
  }

  /** The address of the directory's server, for a client. */
  urlOf(port: number): string {
    return `nats://${this.token()}@127.0.0.1:${port}`;
  }

  /**
   * Earlier versions made directories that other users could read. The current directory is left as it is: somebody works in it, and the files
   * that natchet writes there are closed to others anyway.
   */
  #closeToOthers(): void {
    if (this.directory === process.cwd()) return;
    try {
      chmodSync(this.directory, 0o700);
    } catch {
      // the directory belongs to another user
    }
  }

  /** The address that the last owner wrote; undefined if there is none, or if no owner can have written what the file says. */
  readAddress(): Address | undefined {
    try {
      return addressOf(JSON.parse(readFileSync(this.#addressFile, "utf8")));
    } catch {
      return undefined;
    }
  }

  /** Only the owner of a running server may write it. */
  writeAddress(address: Address): void {
    this.#replace(this.#addressFile, `${JSON.stringify(address)}\n`);
  }

  /**
   * The port that belongs to the directory. It is below the ports that systems give to outgoing connections: a client that retries could
   * otherwise connect to itself.
   */
  get ownPort(): number {
    let hash = 2_166_136_261;
    for (const character of this.directory) hash = Math.imul(hash ^ character.codePointAt(0)!, 16_777_619);
    return 20_000 + ((hash >>> 0) % 10_000);
  }

  // Readers see the old file or the new one, never half of it.
  #replace(file: string, text: string): void {
    const temporary = `${file}.${process.pid}`;
    writeFileSync(temporary, text, { mode: 0o600 });
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) rmSync(file, { recursive: true });
    renameSync(temporary, file);
  }
}

/** Checks an address: its file may have been edited, copied from another machine or cut off by a full disk. The server is always on loopback. */
function addressOf(written: unknown): Address | undefined {
  const { url, port, pid, id, version } = written as Record<keyof Address, unknown>;
  const isPort = Number.isInteger(port) && (port as number) > 0 && (port as number) < 65_536;
  const isPid = Number.isInteger(pid) && (pid as number) > 1;
  const isUrl = typeof url === "string" && url.replace(/\/\/[0-9a-z]{40}@/, "//") === `nats://127.0.0.1:${port}`;
  if (!isPort || !isPid || !isUrl) return undefined;
  return typeof id === "string" && typeof version === "string" ? (written as Address) : undefined;
}

// Address, store and log are given on the command line, so that no path needs quoting here.
const configuration = `# Written by natchet at every start.
server_name: natchet_embedded
logfile_size_limit: 4MB
logfile_max_num: 3
`;
