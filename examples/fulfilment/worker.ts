import { start } from "../../src/mod.ts";
import { Shop } from "./shop.ts";

await start(Shop);
