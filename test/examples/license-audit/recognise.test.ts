import assert from "node:assert/strict";
import { recogniseLicences } from "../../../examples/license-audit/recognise.ts";
import { describe, test } from "../../support/harness.ts";

const mitGrant =
  "Permission is hereby granted, free of charge, to any person obtaining a copy\nof this software and associated documentation files (the “Software”), to deal";
const mitNotice = "\nThe above copyright notice and this permission notice shall be included in all copies";
const iscGrant =
  "Permission to use, copy, modify, and/or distribute this software for any\npurpose with or without fee is hereby granted";
const bsd = "Redistribution and use in source and binary forms, with or without\n * modification, are permitted";

const texts: Record<string, string> = {
  MIT: mitGrant + mitNotice,
  "MIT-0": mitGrant,
  ISC: `${iscGrant}, provided that the above copyright notice and this permission notice appear`,
  "0BSD": `${iscGrant}.`,
  "BSD-2-Clause": bsd,
  "BSD-3-Clause": `${bsd} … may be used to endorse or promote products derived from this software`,
  "Apache-2.0":
    "Apache License\n Version 2.0, January 2004\n TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION",
  "MPL-2.0": "Mozilla Public License Version 2.0\n====",
  Unlicense: "This is free and unencumbered software released into the public domain.",
  "CC0-1.0": "CC0 1.0 Universal",
  "BlueOak-1.0.0": "# Blue Oak Model License\n\nVersion 1.0.0",
  "GPL-3.0": "GNU GENERAL PUBLIC LICENSE\n   Version 3, 29 June 2007",
  "LGPL-3.0":
    "GNU LESSER GENERAL PUBLIC LICENSE\n   Version 3, 29 June 2007\n version 3 of the GNU General Public License",
};

describe("recogniseLicences", () => {
  for (const [id, text] of Object.entries(texts)) {
    test(`recognises ${id} and nothing else in its text`, () => assert.deepEqual(recogniseLicences(text), [id]));
  }

  test("finds every licence of a file that holds several", () => {
    assert.deepEqual(recogniseLicences(`${texts.MIT}\n\n${texts["Apache-2.0"]}`), ["Apache-2.0", "MIT"]);
  });

  test("recognises nothing in a text that only mentions a licence", () => {
    assert.deepEqual(recogniseLicences("This package is under the MIT licence, see the website."), []);
  });
});
