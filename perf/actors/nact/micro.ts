/** The micro-benchmarks of the suite on nact. */
import { type Ref, spawn, stop } from 'nact';
import type { ParametersOf } from '../parameters.js';
import { PseudoRandom, seedOf } from '../pseudo-random.js';
import { colorAfter, work } from '../work.js';
import { inSystem, tell } from './system.js';

export const pingPong = ({ pings }: ParametersOf<'ping-pong'>) =>
  inSystem((system, finish) => {
    const pong = spawn(
      system,
      (state: null, { from }: { readonly from: Ref<'pong'> }) => {
        tell(from, 'pong');
        return state;
      },
      'pong',
      { initialState: null },
    );
    const ping = spawn(
      system,
      (pongs: number, message: 'start' | 'pong') => {
        const received = message === 'pong' ? pongs + 1 : pongs;
        if (received < pings) tell(pong, { from: ping });
        else finish(received);
        return received;
      },
      'ping',
      { initialState: 0 },
    ) as Ref<'start' | 'pong'>;
    tell(ping, 'start');
  });

export const counting = ({ messages }: ParametersOf<'counting'>) =>
  inSystem((system, finish) => {
    const counter = spawn(
      system,
      (count: number, message: 'increment' | 'retrieve') => {
        if (message === 'increment') return count + 1;
        finish(count);
        return count;
      },
      'counter',
      { initialState: 0 },
    );
    const producer = spawn(
      system,
      (state: null, _: 'start') => {
        for (let sent = 0; sent < messages; sent++) tell(counter, 'increment');
        tell(counter, 'retrieve');
        return state;
      },
      'producer',
      { initialState: null },
    );
    tell(producer, 'start');
  });

export const forkJoinThroughput = ({ actors, messages, angle }: ParametersOf<'fork-join-throughput'>) =>
  inSystem((system, finish) => {
    let working = actors;
    const collector = spawn(
      system,
      (sum: number, count: number) => {
        working--;
        if (working === 0) finish(sum + count);
        return sum + count;
      },
      'collector',
      { initialState: 0 },
    );
    const workers = Array.from({ length: actors }, (_, at) =>
      spawn(
        system,
        (count: number, _: 'work') => {
          work(angle);
          if (count + 1 === messages) tell(collector, count + 1);
          return count + 1;
        },
        `worker-${at}`,
        { initialState: 0 },
      ),
    );
    for (let sent = 0; sent < messages; sent++) for (const worker of workers) tell(worker, 'work');
  });

export const forkJoinCreate = ({ actors, angle }: ParametersOf<'fork-join-create'>) =>
  inSystem((system, finish) => {
    const collector = spawn(
      system,
      (count: number, _: 'done') => {
        if (count + 1 === actors) finish(count + 1);
        return count + 1;
      },
      'collector',
      { initialState: 0 },
    );
    for (let at = 0; at < actors; at++) {
      const worker = spawn(
        system,
        (state: null, _: 'work', { self }) => {
          work(angle);
          tell(collector, 'done');
          stop(self);
          return state;
        },
        `worker-${at}`,
        { initialState: null },
      );
      tell(worker, 'work');
    }
  });

export const threadRing = ({ actors, hops }: ParametersOf<'thread-ring'>) =>
  inSystem((system, finish) => {
    const ring: Ref<number>[] = Array.from({ length: actors }, (_, at) =>
      spawn(
        system,
        (next: Ref<number> | null, hopsLeft: number) => {
          const to = next ?? ring[(at + 1) % actors];
          if (hopsLeft > 0 && to !== undefined) tell(to, hopsLeft - 1);
          else finish(at);
          return to ?? null;
        },
        `ring-${at}`,
        { initialState: null },
      ),
    );
    if (ring[0] !== undefined) tell(ring[0], hops);
  });

interface Meet {
  readonly kind: 'meet';
  readonly color: number;
  readonly from: Ref<ToChameneo>;
}
type ToChameneo =
  | { readonly kind: 'start' }
  | Meet
  | { readonly kind: 'change'; readonly color: number }
  | { readonly kind: 'exit' };
type ToMall = Meet | { readonly kind: 'count'; readonly meetings: number };
interface Mall {
  meetings: number;
  waiting: Ref<ToChameneo> | null;
  faded: number;
  sum: number;
}

export const chameneos = (parameters: ParametersOf<'chameneos'>) =>
  inSystem((system, finish) => {
    const receiveMall = (state: Mall, message: ToMall): Mall => {
      if (message.kind === 'count') {
        state.faded++;
        state.sum += message.meetings;
        if (state.faded === parameters.chameneos) finish(state.sum);
      } else if (state.meetings === parameters.meetings) tell(message.from, { kind: 'exit' });
      else if (state.waiting === null) state.waiting = message.from;
      else {
        tell(state.waiting, message);
        state.waiting = null;
        state.meetings++;
      }
      return state;
    };
    const initialState: Mall = { meetings: 0, waiting: null, faded: 0, sum: 0 };
    const mall = spawn(system, receiveMall, 'mall', { initialState });
    for (let at = 0; at < parameters.chameneos; at++) {
      const receive = (state: { color: number; meetings: number }, message: ToChameneo) => {
        switch (message.kind) {
          case 'exit':
            tell(mall, { kind: 'count', meetings: state.meetings });
            return state;
          case 'meet':
            state.color = colorAfter(state.color, message.color);
            state.meetings++;
            tell(message.from, { kind: 'change', color: state.color });
            break;
          case 'change':
            state.color = message.color;
            state.meetings++;
            break;
        }
        tell(mall, { kind: 'meet', color: state.color, from: self });
        return state;
      };
      const self: Ref<ToChameneo> = spawn(system, receive, `chameneo-${at}`, {
        initialState: { color: at % 3, meetings: 0 },
      });
      tell(self, { kind: 'start' });
    }
  });

type ToBig =
  | { readonly kind: 'start' }
  | { readonly kind: 'ping'; readonly from: Ref<ToBig> }
  | { readonly kind: 'pong' };

export const big = ({ actors, pings }: ParametersOf<'big'>) =>
  inSystem((system, finish) => {
    let working = actors;
    const sink = spawn(
      system,
      (sum: number, pongs: number) => {
        working--;
        if (working === 0) finish(sum + pongs);
        return sum + pongs;
      },
      'sink',
      { initialState: 0 },
    );
    const others: Ref<ToBig>[] = [];
    for (let at = 0; at < actors; at++) {
      const random = new PseudoRandom(seedOf(at));
      const self: Ref<ToBig> = spawn(
        system,
        (pongs: number, message: ToBig) => {
          if (message.kind === 'ping') {
            tell(message.from, { kind: 'pong' });
            return pongs;
          }
          const received = message.kind === 'pong' ? pongs + 1 : pongs;
          const other = others[random.next() % actors];
          if (received < pings && other !== undefined) tell(other, { kind: 'ping', from: self });
          else tell(sink, received);
          return received;
        },
        `big-${at}`,
        { initialState: 0 },
      );
      others.push(self);
    }
    for (const actor of others) tell(actor, { kind: 'start' });
  });
