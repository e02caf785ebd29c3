import { testPage } from "./page.ts";

testPage("crons.md");
