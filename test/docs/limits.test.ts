import { testPage } from "./page.ts";

testPage("guide/limits.md");
