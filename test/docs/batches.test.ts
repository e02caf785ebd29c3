import { testPage } from "./page.ts";

testPage("guide/batches.md");
