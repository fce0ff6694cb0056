%% The generator of the Savina suite, as in pseudo-random.ts: the same numbers in every subject.
-module(pseudo_random).
-export([seed/1, next/1]).

seed(Actor) -> (74755 + Actor * 7919) band 16#ffff.

%% The number drawn, 0 to 65535, which is also what the next is drawn from.
next(Value) -> (Value * 1309 + 13849) band 16#ffff.
