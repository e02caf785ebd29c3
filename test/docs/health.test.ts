import { testPage } from "./page.ts";

testPage("production/health.md");
