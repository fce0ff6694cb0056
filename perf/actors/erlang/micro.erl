%% The micro-benchmarks of the suite on Erlang/OTP. Each resolves with the proof that parameters.ts describes.
-module(micro).
-export([ping_pong/1, counting/1, fork_join_throughput/1, fork_join_create/1, thread_ring/1, chameneos/1, big/1]).

ping_pong(#{pings := Pings}) ->
    Pong = spawn_link(fun pong/0),
    Main = self(),
    spawn_link(fun() -> Main ! {pongs, ping(Pong, Pings, 0)} end),
    receive
        {pongs, Pongs} ->
            Pong ! stop,
            [Pongs]
    end.

ping(_, Pings, Pings) ->
    Pings;
ping(Pong, Pings, Pongs) ->
    Pong ! {ping, self()},
    receive
        pong -> ping(Pong, Pings, Pongs + 1)
    end.

pong() ->
    receive
        {ping, From} ->
            From ! pong,
            pong();
        stop ->
            ok
    end.

counting(#{messages := Messages}) ->
    Main = self(),
    Counter = spawn_link(fun() -> counter(0) end),
    spawn_link(fun() ->
        increment(Counter, Messages),
        Counter ! {retrieve, Main}
    end),
    receive
        {count, Count} -> [Count]
    end.

increment(_, 0) ->
    ok;
increment(Counter, Left) ->
    Counter ! increment,
    increment(Counter, Left - 1).

counter(Count) ->
    receive
        increment -> counter(Count + 1);
        {retrieve, From} -> From ! {count, Count}
    end.

fork_join_throughput(#{actors := Actors, messages := Messages, angle := Angle}) ->
    Main = self(),
    Worker = fun() -> worker(Main, Angle, Messages, 0) end,
    % Its sines are a worker's garbage. With two schedulers the queues grow long meanwhile, and on the heap each collection
    % looks at all that waits: ten times slower.
    Options = [link, {message_queue_data, off_heap}],
    Workers = [spawn_opt(Worker, Options) || _ <- lists:seq(1, Actors)],
    send_rounds(Workers, Messages),
    [lists:sum([receive {worked, Count} -> Count end || _ <- Workers])].

send_rounds(_, 0) ->
    ok;
send_rounds(Workers, Left) ->
    lists:foreach(fun(Worker) -> Worker ! work end, Workers),
    send_rounds(Workers, Left - 1).

worker(Main, _, Messages, Messages) ->
    Main ! {worked, Messages};
worker(Main, Angle, Messages, Count) ->
    receive
        work ->
            work(Angle),
            worker(Main, Angle, Messages, Count + 1)
    end.

work(Angle) ->
    Sine = math:sin(Angle),
    true = Sine * Sine > 0.

%% The collector is a process of its own: one that spawns collects its garbage often, and each time looks at all messages
%% that wait for it, which makes it three times slower.
fork_join_create(#{actors := Actors, angle := Angle}) ->
    Main = self(),
    Collector = spawn_link(fun() -> Main ! {done, count_done(Actors, 0)} end),
    create(Collector, Angle, Actors),
    receive
        {done, Count} -> [Count]
    end.

create(_, _, 0) ->
    ok;
create(Collector, Angle, Left) ->
    % Not linked: a link for each would be more than the benchmark asks of other subjects.
    Worker = spawn(fun() ->
        receive
            work ->
                work(Angle),
                Collector ! done
        end
    end),
    Worker ! work,
    create(Collector, Angle, Left - 1).

count_done(Actors, Actors) ->
    Actors;
count_done(Actors, Count) ->
    receive
        done -> count_done(Actors, Count + 1)
    end.

thread_ring(#{actors := Actors, hops := Hops}) ->
    Main = self(),
    Ring = [spawn_link(fun() -> ring_start(Main, At) end) || At <- lists:seq(0, Actors - 1)],
    [First | Others] = Ring,
    lists:foreach(fun({Pid, Next}) -> Pid ! {next, Next} end, lists:zip(Ring, Others ++ [First])),
    First ! Hops,
    receive
        {last, At} ->
            lists:foreach(fun(Pid) -> Pid ! stop end, Ring),
            [At]
    end.

ring_start(Main, At) ->
    receive
        {next, Next} -> ring(Main, At, Next)
    end.

ring(Main, At, Next) ->
    receive
        0 ->
            Main ! {last, At},
            ring(Main, At, Next);
        stop ->
            ok;
        HopsLeft ->
            Next ! HopsLeft - 1,
            ring(Main, At, Next)
    end.

chameneos(#{chameneos := Chameneos, meetings := Meetings}) ->
    Mall = self(),
    lists:foreach(
        fun(At) ->
            spawn_link(fun() ->
                Mall ! {meet, At rem 3, self()},
                chameneo(Mall, At rem 3, 0)
            end)
        end,
        lists:seq(0, Chameneos - 1)
    ),
    mall(Meetings, nobody),
    Each = lists:seq(1, Chameneos),
    lists:foreach(fun(_) -> receive {meet, _, From} -> From ! exit end end, Each),
    [lists:sum([receive {count, Count} -> Count end || _ <- Each])].

%% Ends when the meetings are over; whoever asks for one after that is sent home.
mall(0, nobody) ->
    ok;
mall(MeetingsLeft, nobody) ->
    receive
        {meet, _, From} -> mall(MeetingsLeft, From)
    end;
mall(MeetingsLeft, Waiting) ->
    receive
        {meet, _, _} = Meet ->
            Waiting ! Meet,
            mall(MeetingsLeft - 1, nobody)
    end.

chameneo(Mall, Color, Meetings) ->
    receive
        {meet, Other, From} ->
            Changed = color_after(Color, Other),
            From ! {change, Changed},
            Mall ! {meet, Changed, self()},
            chameneo(Mall, Changed, Meetings + 1);
        {change, Changed} ->
            Mall ! {meet, Changed, self()},
            chameneo(Mall, Changed, Meetings + 1);
        exit ->
            Mall ! {count, Meetings}
    end.

color_after(Color, Color) -> Color;
color_after(Mine, Other) -> 3 - Mine - Other.

big(#{actors := Actors, pings := Pings}) ->
    Main = self(),
    All = [spawn_link(fun() -> big_start(Main, At, Pings) end) || At <- lists:seq(0, Actors - 1)],
    Others = list_to_tuple(All),
    lists:foreach(fun(Pid) -> Pid ! {others, Others} end, All),
    Pongs = lists:sum([receive {pongs, Count} -> Count end || _ <- All]),
    lists:foreach(fun(Pid) -> Pid ! stop end, All),
    [Pongs].

big_start(Main, At, Pings) ->
    receive
        {others, Others} -> big_next(Main, Others, pseudo_random:seed(At), Pings, 0)
    end.

big_next(Main, Others, Random, Pings, Pings) ->
    Main ! {pongs, Pings},
    big_loop(Main, Others, Random, Pings, Pings);
big_next(Main, Others, Random, Pings, Pongs) ->
    Drawn = pseudo_random:next(Random),
    element(Drawn rem tuple_size(Others) + 1, Others) ! {ping, self()},
    big_loop(Main, Others, Drawn, Pings, Pongs).

big_loop(Main, Others, Random, Pings, Pongs) ->
    receive
        {ping, From} ->
            From ! pong,
            big_loop(Main, Others, Random, Pings, Pongs);
        pong ->
            big_next(Main, Others, Random, Pings, Pongs + 1);
        stop ->
            ok
    end.
