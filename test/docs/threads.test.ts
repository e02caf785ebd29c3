import { testPage } from "./page.ts";

testPage("guide/threads.md");
