import { testPage } from "./page.ts";

testPage("failures-and-replay.md");
