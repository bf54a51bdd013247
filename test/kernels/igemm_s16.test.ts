import { testIgemm } from "./igemmSuite.ts";

testIgemm("s16");
