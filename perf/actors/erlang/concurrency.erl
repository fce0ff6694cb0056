%% The concurrency benchmarks of the suite on Erlang/OTP, but for those of services.erl.
%%
%% Who waits for one answer receives it by a reference of its own, as gen_server:call does: the receive then skips what
%% stood in the mailbox before. The mailbox is the stash.
-module(concurrency).
-export([dictionary/1, banking/1, logistic_map/1]).

dictionary(#{workers := Workers, messages := Messages, writePercent := WritePercent}) ->
    Main = self(),
    Store = spawn_link(fun() -> store(Main, #{}, 0, 0, Workers) end),
    lists:foreach(
        fun(At) ->
            spawn_link(fun() -> dictionary_worker(Store, pseudo_random:seed(At), WritePercent, Messages) end)
        end,
        lists:seq(0, Workers - 1)
    ),
    receive
        {store, Requests, Writes} -> [Requests, Writes]
    end.

store(Main, _, Requests, Writes, 0) ->
    Main ! {store, Requests, Writes};
store(Main, Entries, Requests, Writes, Working) ->
    receive
        {read, Key, From} ->
            From ! {value, maps:get(Key, Entries, undefined)},
            store(Main, Entries, Requests + 1, Writes, Working);
        {write, Key, Value, From} ->
            From ! {value, Value},
            store(Main, Entries#{Key => Value}, Requests + 1, Writes + 1, Working);
        done ->
            store(Main, Entries, Requests, Writes, Working - 1)
    end.

dictionary_worker(Store, _, _, 0) ->
    Store ! done;
dictionary_worker(Store, Random, WritePercent, Left) ->
    Drawn = pseudo_random:next(Random),
    Key = pseudo_random:next(Drawn),
    case Drawn rem 100 < WritePercent of
        true -> Store ! {write, Key, Key, self()};
        false -> Store ! {read, Key, self()}
    end,
    receive
        {value, _} -> dictionary_worker(Store, Key, WritePercent, Left - 1)
    end.

banking(#{
    accounts := Accounts,
    transactions := Transactions,
    initialBalance := InitialBalance,
    givingOfTen := GivingOfTen
}) ->
    Teller = self(),
    % It collects garbage while answers wait for it: off the heap they are not looked at each time.
    process_flag(message_queue_data, off_heap),
    All = [spawn_link(fun() -> account(Teller, InitialBalance) end) || _ <- lists:seq(1, Accounts)],
    order(list_to_tuple(All), Accounts * GivingOfTen div 10, pseudo_random:seed(0), Transactions),
    Completed = count_completed(Transactions, 0),
    lists:foreach(fun(Account) -> Account ! report end, All),
    [Completed, lists:sum([receive {balance, Balance} -> Balance end || _ <- All])].

order(_, _, _, 0) ->
    ok;
order(All, Giving, Random, Left) ->
    From = pseudo_random:next(Random),
    To = pseudo_random:next(From),
    Amount = pseudo_random:next(To),
    element(From rem Giving + 1, All) !
        {order, Amount rem 1000, element(Giving + To rem (tuple_size(All) - Giving) + 1, All)},
    order(All, Giving, Amount, Left - 1).

count_completed(Transactions, Transactions) ->
    Transactions;
count_completed(Transactions, Completed) ->
    receive
        completed -> count_completed(Transactions, Completed + 1)
    end.

account(Teller, Balance) ->
    receive
        {order, Amount, To} ->
            Ref = make_ref(),
            To ! {transfer, Amount, self(), Ref},
            receive
                Ref ->
                    Teller ! completed,
                    account(Teller, Balance - Amount)
            end;
        {transfer, Amount, From, Ref} ->
            From ! Ref,
            account(Teller, Balance + Amount);
        report ->
            Teller ! {balance, Balance}
    end.

logistic_map(#{terms := Terms, series := Series, startRate := StartRate, increment := Increment}) ->
    Master = self(),
    Workers = [
        begin
            Computer = spawn_link(fun() -> computer(StartRate + At * Increment) end),
            spawn_opt(
                fun() -> series(Master, Computer, At * Increment) end,
                % All orders wait for it while it collects garbage, as for the teller: ten times slower on the heap.
                [link, {message_queue_data, off_heap}]
            )
        end
     || At <- lists:seq(0, Series - 1)
    ],
    order_terms(Workers, Terms),
    lists:foreach(fun(Worker) -> Worker ! last end, Workers),
    [lists:foldl(fun(Worker, Sum) -> Sum + receive {last, Worker, Term} -> Term end end, 0.0, Workers)].

order_terms(_, 0) ->
    ok;
order_terms(Workers, Left) ->
    lists:foreach(fun(Worker) -> Worker ! next end, Workers),
    order_terms(Workers, Left - 1).

series(Master, Computer, Term) ->
    receive
        next ->
            Ref = make_ref(),
            Computer ! {term, Term, self(), Ref},
            receive
                {Ref, Result} -> series(Master, Computer, Result)
            end;
        last ->
            Computer ! stop,
            Master ! {last, self(), Term}
    end.

computer(Rate) ->
    receive
        {term, Term, From, Ref} ->
            From ! {Ref, Rate * Term * (1 - Term)},
            computer(Rate);
        stop ->
            ok
    end.
