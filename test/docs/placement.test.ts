import { testPage } from "./page.ts";

testPage("placement.md");
