import { testPage } from "./page.ts";

testPage("guide/placement.md");
