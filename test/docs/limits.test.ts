import { testPage } from "./page.ts";

testPage("limits.md");
