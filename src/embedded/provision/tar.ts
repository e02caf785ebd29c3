/** Finds the regular file of this base name in a tar archive and returns its bytes. */
export function extractFile(archive: Uint8Array, baseName: string): Uint8Array {
  const field = (from: number, length: number) => {
    const bytes = archive.subarray(from, from + length);
    const end = bytes.indexOf(0);
    return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
  };
  for (let at = 0; at + blockBytes <= archive.length; ) {
    const name = field(at, 100);
    if (name === "") break;
    const size = Number.parseInt(field(at + 124, 12).trim(), 8);
    const type = field(at + 156, 1);
    const start = at + blockBytes;
    const isFile = type === "" || type === "0";
    if (isFile && name.split("/").at(-1) === baseName) {
      if (start + size > archive.length) throw new Error(`the archive ends in the middle of ${name}`);
      return archive.subarray(start, start + size);
    }
    at = start + Math.ceil(size / blockBytes) * blockBytes;
  }
  throw new Error(`the archive does not contain ${baseName}`);
}

const blockBytes = 512;
