import { testPage } from "./page.ts";

testPage("testing.md");
