import { testPage } from "./page.ts";

testPage("guide/crons.md");
