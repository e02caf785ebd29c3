import { testPage } from "./page.ts";

testPage("guide/failures.md");
