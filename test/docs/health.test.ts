import { testPage } from "./page.ts";

testPage("health.md");
