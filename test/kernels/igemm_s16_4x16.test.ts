import { testIgemm } from "./igemmSuite.ts";

testIgemm("s16", "igemm_s16_4x16");
