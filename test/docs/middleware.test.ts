import { testPage } from "./page.ts";

testPage("middleware.md");
