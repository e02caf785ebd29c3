import { testPage } from "./page.ts";

testPage("threads.md");
