/**
 * log2(1 + u) on [0, 1) as ((((((C6·u + C5)·u + C4)·u + C3)·u + C2)·u + C1)·u.
 * u + u·(1 − u)·q(u), q a minimax polynomial of degree 4: exact at 0, worst absolute error 2.4e-6 over all 2^23
 * mantissas in f32, 1 − 2^-23 at the last one. The same numbers stand in train/integer.py.
 */
export const LOG2_C1: f32 = 1.442544937133789;
export const LOG2_C2: f32 = -0.7181452512741089;
export const LOG2_C3: f32 = 0.45754918456077576;
export const LOG2_C4: f32 = -0.27790534496307373;
export const LOG2_C5: f32 = 0.12179791182279587;
export const LOG2_C6: f32 = -0.025841450318694115;
