import { testIgemm } from "./igemmSuite.ts";

testIgemm("u7", "igemm_u7_dot4");
