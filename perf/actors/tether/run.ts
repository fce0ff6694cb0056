/**
 * The suite on Tether: starts the actors of a benchmark and awaits the proof of the run, wherever the actors live.
 *
 * Actors are never created nor ended. A run has actors of its own by keys of its own; those of earlier runs are passivated
 * when there are too many.
 */
import type { ActorType } from '../../../runtime/actor.js';
import type { ActorRef } from '../../../runtime/index.js';
import type { Program } from '../program.js';
import { seedOf } from '../pseudo-random.js';
import arbitrator from './actors/arbitrator.js';
import big from './actors/big.js';
import buffer from './actors/buffer.js';
import chameneo from './actors/chameneo.js';
import collector from './actors/collector.js';
import consumer from './actors/consumer.js';
import countingProducer from './actors/counting-producer.js';
import customerFactory from './actors/customer-factory.js';
import dictionary from './actors/dictionary.js';
import dictionaryWorker from './actors/dictionary-worker.js';
import forkJoinCreator from './actors/fork-join-creator.js';
import forkJoinMaster from './actors/fork-join-master.js';
import logisticMaster from './actors/logistic-master.js';
import mall from './actors/mall.js';
import philosopher from './actors/philosopher.js';
import ping from './actors/ping.js';
import producer from './actors/producer.js';
import ringNode from './actors/ring-node.js';
import teller from './actors/teller.js';

/** A system of actors, or one kernel of it. */
export interface Actors {
  ref<Body>(actor: ActorType<Body>, key: string): ActorRef<Body>;
}

/** A run that takes longer has failed. */
const RUN = { timeoutMs: 300_000 };

const upTo = <Item>(length: number, item: (at: number) => Item): Item[] =>
  Array.from({ length }, (_, at) => item(at));

export function suite(actors: Actors): Program {
  let runs = 0;
  const newRun = () => `run-${++runs}`;

  return {
    'ping-pong': ({ pings }) => actors.ref(ping, newRun()).ask({ type: 'start', pings }, RUN),

    counting: ({ messages }) =>
      actors.ref(countingProducer, newRun()).ask({ type: 'produce', messages }, RUN),

    async 'fork-join-throughput'(parameters) {
      const run = newRun();
      const reports = actors.ref(collector, run);
      const total = reports.ask({ type: 'total', parts: parameters.actors }, RUN);
      await actors.ref(forkJoinMaster, run).ask({ type: 'fork', ...parameters, collector: reports }, RUN);
      return total;
    },

    async 'fork-join-create'(parameters) {
      const run = newRun();
      const reports = actors.ref(collector, run);
      const total = reports.ask({ type: 'total', parts: parameters.actors }, RUN);
      await actors.ref(forkJoinCreator, run).ask({ type: 'create', ...parameters, collector: reports }, RUN);
      return total;
    },

    'thread-ring'({ actors: length, hops }) {
      const run = newRun();
      const reports = actors.ref(collector, run);
      const nodes = upTo(length, (at) => actors.ref(ringNode, `${run}-${at}`));
      for (const [at, node] of nodes.entries()) {
        const next = nodes[(at + 1) % length] as typeof node;
        void node.tell({ type: 'join', at, next, collector: reports });
      }
      void nodes[0]?.tell({ type: 'hop', left: hops });
      return reports.ask({ type: 'total', parts: 1 }, RUN);
    },

    chameneos({ chameneos, meetings }) {
      const run = newRun();
      const place = actors.ref(mall, run);
      const met = place.ask({ type: 'open', chameneos, meetings }, RUN);
      for (let at = 0; at < chameneos; at++)
        void actors.ref(chameneo, `${run}-${at}`).tell({ type: 'visit', mall: place, color: at % 3 });
      return met;
    },

    big({ actors: length, pings }) {
      const run = newRun();
      const reports = actors.ref(collector, run);
      const others = upTo(length, (at) => actors.ref(big, `${run}-${at}`));
      for (const [at, actor] of others.entries())
        void actor.tell({ type: 'start', seed: seedOf(at), pings, others, collector: reports });
      return reports.ask({ type: 'total', parts: length }, RUN);
    },

    'concurrent-dictionary'({ workers, messages, writePercent }) {
      const run = newRun();
      const store = actors.ref(dictionary, run);
      const served = store.ask({ type: 'serve', workers }, RUN);
      for (let at = 0; at < workers; at++) {
        const worker = actors.ref(dictionaryWorker, `${run}-${at}`);
        void worker.tell({ type: 'start', dictionary: store, seed: seedOf(at), messages, writePercent });
      }
      return served;
    },

    'bounded-buffer'({ producers, consumers, items, buffer: size }) {
      const run = newRun();
      const reports = actors.ref(collector, run);
      const between = actors.ref(buffer, run);
      // The suite's margin: as many as may be on their way to the buffer stay free.
      const full = Math.max(1, size - producers);
      void between.tell({ type: 'open', items: producers * items, full });
      for (let at = 0; at < consumers; at++)
        void actors
          .ref(consumer, `${run}-${at}`)
          .tell({ type: 'start', buffer: between, collector: reports });
      for (let at = 0; at < producers; at++)
        void actors.ref(producer, `${run}-${at}`).tell({ type: 'start', buffer: between, items });
      return reports.ask({ type: 'total', parts: consumers }, RUN);
    },

    'dining-philosophers'({ philosophers: seats, rounds }) {
      const run = newRun();
      const reports = actors.ref(collector, run);
      const waiter = actors.ref(arbitrator, run);
      void waiter.tell({ type: 'lay', seats });
      for (let seat = 0; seat < seats; seat++) {
        const eater = actors.ref(philosopher, `${run}-${seat}`);
        void eater.tell({ type: 'sit', seat, rounds, arbitrator: waiter, collector: reports });
      }
      return reports.ask({ type: 'total', parts: seats }, RUN);
    },

    'sleeping-barber': (parameters) =>
      actors.ref(customerFactory, newRun()).ask({ type: 'send', ...parameters }, RUN),

    banking: (parameters) =>
      actors.ref(teller, newRun()).ask({ type: 'bank', ...parameters, seed: seedOf(0) }, RUN),

    'logistic-map': (parameters) =>
      actors.ref(logisticMaster, newRun()).ask({ type: 'compute', ...parameters }, RUN),
  };
}
