// The package sources that this machine is configured with, in both of apt's notations.

/** One configured source of binary packages. */
export interface AptSource {
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** A key file or, indented as in the file, the key itself. */
  readonly signedBy?: string | undefined;
}

/** Reads the stanzas of a `.sources` file (deb822). */
export function parseStanzas(text: string): AptSource[] {
  const lines = text.split("\n").filter((line) => !line.startsWith("#"));
  const stanzas = lines.join("\n").split(/\n[ \t]*\n+/);
  return stanzas.map(readStanza).filter((source) => source !== undefined);
}

/** Reads the lines of a `.list` file: `deb [signed-by=/a/key.gpg] http://host/debian bookworm main`. */
export function parseLines(text: string): AptSource[] {
  return text
    .split("\n")
    .map(readLine)
    .filter((source) => source !== undefined);
}

/** Writes a source with one suite as a stanza. */
export function formatStanza(source: {
  uri: string;
  suite: string;
  component: string;
  signedBy?: string | undefined;
  architecture: string;
}): string {
  const lines = [
    "Types: deb",
    `URIs: ${source.uri}`,
    `Suites: ${source.suite}`,
    `Components: ${source.component}`,
    `Architectures: ${source.architecture}`,
  ];
  if (source.signedBy !== undefined) lines.push(`Signed-By: ${source.signedBy}`);
  return `${lines.join("\n")}\n`;
}

function readStanza(stanza: string): AptSource | undefined {
  const fields = new Map<string, string>();
  let last = "";
  for (const line of stanza.split("\n")) {
    const field = /^([A-Za-z-]+):[ \t]*(.*)$/.exec(line);
    if (field !== null) {
      last = field[1]!.toLowerCase();
      fields.set(last, field[2]!.trim());
    } else if (/^[ \t]/.test(line)) {
      fields.set(last, `${fields.get(last) ?? ""}\n${line.trimEnd()}`);
    }
  }
  const words = (name: string) => (fields.get(name) ?? "").split(/\s+/).filter(Boolean);
  if (!words("types").includes("deb") || /^(no|false|0)$/i.test(fields.get("enabled") ?? "yes")) return undefined;
  return {
    uris: words("uris"),
    suites: words("suites"),
    components: words("components"),
    signedBy: fields.get("signed-by"),
  };
}

function readLine(line: string): AptSource | undefined {
  const parts = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line);
  if (parts === null) return undefined;
  const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(parts[1] ?? "")?.[1];
  return { uris: [parts[2]!], suites: [parts[3]!], components: parts[4]!.split(/\s+/).filter(Boolean), signedBy };
}
