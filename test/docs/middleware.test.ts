import { testPage } from "./page.ts";

testPage("guide/middleware.md");
