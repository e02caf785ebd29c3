import { testPage } from "./page.ts";

testPage("guide/testing.md");
