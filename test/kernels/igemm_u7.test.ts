import { testIgemm } from "./igemmSuite.ts";

testIgemm("u7");
