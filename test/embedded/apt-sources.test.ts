import assert from "node:assert/strict";
import { formatStanza, parseLines, parseStanzas } from "../../src/embedded/provision/apt-sources.ts";
import { describe, test } from "../support/harness.ts";

describe("apt sources", () => {
  test("parseStanzas reads stanzas with comments, several values and disabled ones", () => {
    const text = `# first
Types: deb deb-src
# a comment inside
URIs: http://host/debian  http://other/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/key.gpg

Types: deb
URIs: http://off/debian
Suites: sid
Components: main
Enabled: no

Types: deb-src
URIs: http://source/debian
Suites: sid
Components: main
`;
    assert.deepEqual(parseStanzas(text), [
      {
        uris: ["http://host/debian", "http://other/debian"],
        suites: ["bookworm", "bookworm-updates"],
        components: ["main", "contrib"],
        signedBy: "/usr/share/keyrings/key.gpg",
      },
    ]);
  });

  test("parseStanzas and formatStanza carry a key that stands in the file", () => {
    const key = "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n -----END PGP PUBLIC KEY BLOCK-----";
    const text = `Types: deb\nURIs: http://host/debian\nSuites: sid\nComponents: main\nSigned-By:${key}\n`;
    const [source] = parseStanzas(text);
    assert.equal(source!.signedBy, key);
    const written = formatStanza({
      uri: "http://host/debian",
      suite: "sid",
      component: "main",
      architecture: "amd64",
      signedBy: key,
    });
    assert.equal(parseStanzas(written)[0]!.signedBy, key);
  });

  test("parseLines reads one-line sources with and without options", () => {
    const text = `# deb http://commented/debian sid main
deb http://host/debian bookworm main contrib # why
deb [arch=amd64 signed-by=/k.gpg] https://host/ubuntu/ noble universe
deb-src http://host/debian bookworm main
`;
    assert.deepEqual(parseLines(text), [
      { uris: ["http://host/debian"], suites: ["bookworm"], components: ["main", "contrib"], signedBy: undefined },
      { uris: ["https://host/ubuntu/"], suites: ["noble"], components: ["universe"], signedBy: "/k.gpg" },
    ]);
  });
});
