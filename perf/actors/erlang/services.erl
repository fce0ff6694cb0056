%% The benchmarks of the suite in which one process serves many that wait for it, on Erlang/OTP.
-module(services).
-export([bounded_buffer/1, philosophers/1, barber/1]).

bounded_buffer(#{producers := Producers, consumers := Consumers, items := Items, buffer := Buffer}) ->
    Main = self(),
    % The suite's margin: as many as may be on their way to the buffer stay free.
    Full = max(1, Buffer - Producers),
    Manager = spawn_link(fun() ->
        manager(queue:new(), 0, queue:new(), queue:new(), Full, Producers * Items)
    end),
    lists:foreach(fun(_) -> spawn_link(fun() -> consumer(Main, Manager, 0, 0) end) end, lists:seq(1, Consumers)),
    lists:foreach(fun(_) -> spawn_link(fun() -> produce(Manager, 0, Items) end) end, lists:seq(1, Producers)),
    Parts = [receive {consumed, Count, Sum} -> {Count, Sum} end || _ <- lists:seq(1, Consumers)],
    {Counts, Sums} = lists:unzip(Parts),
    [lists:sum(Counts), lists:sum(Sums)].

%% Stored items with their number, consumers that wait for one, producers that wait for room, items not yet delivered.
manager(_, _, Idle, _, _, 0) ->
    lists:foreach(fun(Consumer) -> Consumer ! exit end, queue:to_list(Idle)),
    send_home();
manager(Stored, Size, Idle, Waiting, Full, Left) ->
    receive
        {item, Item, From} ->
            {NewStored, NewSize, NewIdle, NewLeft} =
                case queue:out(Idle) of
                    {{value, Consumer}, Rest} ->
                        Consumer ! {item, Item},
                        {Stored, Size, Rest, Left - 1};
                    {empty, _} ->
                        {queue:in(Item, Stored), Size + 1, Idle, Left}
                end,
            case NewSize >= Full of
                true ->
                    manager(NewStored, NewSize, NewIdle, queue:in(From, Waiting), Full, NewLeft);
                false ->
                    From ! produce,
                    manager(NewStored, NewSize, NewIdle, Waiting, Full, NewLeft)
            end;
        {available, From} ->
            case queue:out(Stored) of
                {empty, _} ->
                    manager(Stored, Size, queue:in(From, Idle), Waiting, Full, Left);
                {{value, Item}, Rest} ->
                    From ! {item, Item},
                    manager(Rest, Size - 1, Idle, wake(Waiting), Full, Left - 1)
            end
    end.

wake(Waiting) ->
    case queue:out(Waiting) of
        {empty, _} ->
            Waiting;
        {{value, Producer}, Rest} ->
            Producer ! produce,
            Rest
    end.

%% For consumers that are still at their last item, until the run ends.
send_home() ->
    receive
        {available, From} ->
            From ! exit,
            send_home()
    end.

consumer(Main, Manager, Count, Sum) ->
    Manager ! {available, self()},
    receive
        {item, Item} -> consumer(Main, Manager, Count + 1, Sum + Item);
        exit -> Main ! {consumed, Count, Sum}
    end.

produce(_, Items, Items) ->
    ok;
produce(Manager, Produced, Items) ->
    Manager ! {item, Produced, self()},
    receive
        produce -> produce(Manager, Produced + 1, Items)
    end.

philosophers(#{philosophers := Seats, rounds := Rounds}) ->
    Arbitrator = self(),
    lists:foreach(
        fun(Seat) -> spawn_link(fun() -> philosopher(Arbitrator, Seat, Rounds, 0) end) end,
        lists:seq(0, Seats - 1)
    ),
    [arbitrator(0, Seats, Seats, 0)].

%% The forks that are taken are the bits of a number.
arbitrator(_, _, 0, Meals) ->
    Meals;
arbitrator(Taken, Seats, Dining, Meals) ->
    receive
        {hungry, Seat, From} ->
            Forks = forks(Seat, Seats),
            case Taken band Forks of
                0 ->
                    From ! eat,
                    arbitrator(Taken bor Forks, Seats, Dining, Meals);
                _ ->
                    From ! denied,
                    arbitrator(Taken, Seats, Dining, Meals)
            end;
        {done, Seat} ->
            arbitrator(Taken band bnot forks(Seat, Seats), Seats, Dining, Meals);
        {exit, Eaten} ->
            arbitrator(Taken, Seats, Dining - 1, Meals + Eaten)
    end.

forks(Seat, Seats) -> (1 bsl Seat) bor (1 bsl ((Seat + 1) rem Seats)).

philosopher(Arbitrator, _, Rounds, Rounds) ->
    Arbitrator ! {exit, Rounds};
philosopher(Arbitrator, Seat, Rounds, Eaten) ->
    Arbitrator ! {hungry, Seat, self()},
    receive
        denied ->
            philosopher(Arbitrator, Seat, Rounds, Eaten);
        eat ->
            Arbitrator ! {done, Seat},
            philosopher(Arbitrator, Seat, Rounds, Eaten + 1)
    end.

barber(#{haircuts := Haircuts, places := Places}) ->
    Factory = self(),
    Room = spawn_link(fun() -> room(spawn_barber(self()), queue:new(), 0, Places, asleep) end),
    Customers = [spawn_link(fun() -> customer(Factory) end) || _ <- lists:seq(1, Haircuts)],
    lists:foreach(fun(Customer) -> Room ! {enter, Customer} end, Customers),
    [factory(Room, Haircuts, 0, 0, queue:new())].

%% Free: places that customers left and nobody was sent to again.
factory(_, Haircuts, Haircuts, _, _) ->
    Haircuts;
factory(Room, Haircuts, Left, Free, Returned) ->
    receive
        leave -> invite(Room, Haircuts, Left + 1, Free + 1, Returned);
        {returned, Customer} -> invite(Room, Haircuts, Left, Free, queue:in(Customer, Returned))
    end.

invite(Room, Haircuts, Left, 0, Returned) ->
    factory(Room, Haircuts, Left, 0, Returned);
invite(Room, Haircuts, Left, Free, Returned) ->
    case queue:out(Returned) of
        {empty, _} ->
            factory(Room, Haircuts, Left, Free, Returned);
        {{value, Customer}, Rest} ->
            Room ! {enter, Customer},
            factory(Room, Haircuts, Left, Free - 1, Rest)
    end.

room(Barber, Seated, Places, Places, Mode) ->
    receive
        {enter, Customer} ->
            Customer ! full,
            room(Barber, Seated, Places, Places, Mode);
        next ->
            next(Barber, Seated, Places, Places)
    end;
room(Barber, Seated, Count, Places, Mode) ->
    receive
        {enter, Customer} ->
            case Mode of
                asleep -> self() ! next;
                awake -> Customer ! wait
            end,
            room(Barber, queue:in(Customer, Seated), Count + 1, Places, awake);
        next ->
            next(Barber, Seated, Count, Places)
    end.

next(Barber, Seated, Count, Places) ->
    case queue:out(Seated) of
        {empty, _} ->
            room(Barber, Seated, Count, Places, asleep);
        {{value, Customer}, Rest} ->
            Barber ! {enter, Customer},
            room(Barber, Rest, Count - 1, Places, awake)
    end.

spawn_barber(Room) -> spawn_link(fun() -> cut(Room) end).

cut(Room) ->
    receive
        {enter, Customer} ->
            Customer ! start,
            Customer ! done,
            Room ! next,
            cut(Room)
    end.

customer(Factory) ->
    receive
        full ->
            Factory ! {returned, self()},
            customer(Factory);
        done ->
            Factory ! leave;
        _ ->
            customer(Factory)
    end.
