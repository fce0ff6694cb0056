%% The suite on Erlang/OTP: plain processes with send and receive.
%%
%% erl +S N:N -noshell -s program main -extra BENCHMARK WARM_UP_MS_MIN MEASURED_MS_MIN MESSAGES
%%     warm-up NAME=VALUE... measured NAME=VALUE...
%%
%% Prints the line of the protocol. As in every subject, whole runs are repeated until they have taken long enough, first
%% with the parameters of the warm-up. The reader of the line checks the proof.
-module(program).
-export([main/0]).

main() ->
    [Name, WarmUpMsMin, MeasuredMsMin, Messages, "warm-up" | Parameters] = init:get_plain_arguments(),
    {WarmUp, ["measured" | Measured]} = lists:splitwith(fun(Text) -> Text =/= "measured" end, Parameters),
    Run = run(Name),
    repeat(Run, parameters(WarmUp), list_to_integer(WarmUpMsMin) * 1000, 0, 0),
    {Runs, Us, Proof} = repeat(Run, parameters(Measured), list_to_integer(MeasuredMsMin) * 1000, 0, 0),
    io:format(
        "{\"benchmark\":\"~s\",\"messages\":~b,\"ms\":~s,\"proof\":[~s]}~n",
        [Name, Runs * list_to_integer(Messages), number(Us / 1000), lists:join(",", [number(N) || N <- Proof])]
    ),
    halt(0).

run("ping-pong") -> fun micro:ping_pong/1;
run("counting") -> fun micro:counting/1;
run("fork-join-throughput") -> fun micro:fork_join_throughput/1;
run("fork-join-create") -> fun micro:fork_join_create/1;
run("thread-ring") -> fun micro:thread_ring/1;
run("chameneos") -> fun micro:chameneos/1;
run("big") -> fun micro:big/1;
run("concurrent-dictionary") -> fun concurrency:dictionary/1;
run("banking") -> fun concurrency:banking/1;
run("logistic-map") -> fun concurrency:logistic_map/1;
run("bounded-buffer") -> fun services:bounded_buffer/1;
run("dining-philosophers") -> fun services:philosophers/1;
run("sleeping-barber") -> fun services:barber/1.

%% Each run in a process of its own, so that none inherits a grown heap. Its end takes those with it that are linked to it
%% and still there: they end with every reason but `normal`.
repeat(Run, Parameters, UsMin, Runs, Us) ->
    Start = erlang:monotonic_time(microsecond),
    {Pid, Monitor} = spawn_monitor(fun() -> exit({proof, Run(Parameters)}) end),
    receive
        {'DOWN', Monitor, process, Pid, {proof, Proof}} ->
            Total = Us + erlang:monotonic_time(microsecond) - Start,
            case Total < UsMin of
                true -> repeat(Run, Parameters, UsMin, Runs + 1, Total);
                false -> {Runs + 1, Total, Proof}
            end;
        {'DOWN', Monitor, process, Pid, Reason} ->
            io:format(standard_error, "the run failed: ~p~n", [Reason]),
            halt(1)
    end.

parameters(Texts) ->
    maps:from_list([
        begin
            [Name, Value] = string:split(Text, "="),
            {list_to_atom(Name), value(Value)}
        end
     || Text <- Texts
    ]).

value(Text) ->
    case string:find(Text, ".") of
        nomatch -> list_to_integer(Text);
        _ -> list_to_float(Text)
    end.

number(Value) when is_integer(Value) -> integer_to_list(Value);
number(Value) -> float_to_list(Value, [short]).
