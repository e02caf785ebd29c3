import { testPage } from "./page.ts";

testPage("batches.md");
