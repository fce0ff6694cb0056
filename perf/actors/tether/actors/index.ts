/** All actors of the benchmarks. The module of an actor bears the name of its type. */
import type { ActorDefinition } from '../../../../runtime/index.js';
import account from './account.js';
import arbitrator from './arbitrator.js';
import barber from './barber.js';
import big from './big.js';
import buffer from './buffer.js';
import chameneo from './chameneo.js';
import collector from './collector.js';
import consumer from './consumer.js';
import counter from './counter.js';
import countingProducer from './counting-producer.js';
import customer from './customer.js';
import customerFactory from './customer-factory.js';
import dictionary from './dictionary.js';
import dictionaryWorker from './dictionary-worker.js';
import forkJoinCreator from './fork-join-creator.js';
import forkJoinMaster from './fork-join-master.js';
import forkJoinSingle from './fork-join-single.js';
import forkJoinWorker from './fork-join-worker.js';
import holder from './holder.js';
import logisticMaster from './logistic-master.js';
import mall from './mall.js';
import philosopher from './philosopher.js';
import ping from './ping.js';
import pong from './pong.js';
import producer from './producer.js';
import rateComputer from './rate-computer.js';
import ringNode from './ring-node.js';
import series from './series.js';
import sink from './sink.js';
import teller from './teller.js';
import waitingRoom from './waiting-room.js';

// A definition of some bodies is none of all bodies; what sends to them knows their own.
export const ACTORS = [
  account,
  arbitrator,
  barber,
  big,
  buffer,
  chameneo,
  collector,
  consumer,
  counter,
  countingProducer,
  customerFactory,
  customer,
  dictionaryWorker,
  dictionary,
  forkJoinCreator,
  forkJoinMaster,
  forkJoinSingle,
  forkJoinWorker,
  holder,
  logisticMaster,
  mall,
  philosopher,
  ping,
  pong,
  producer,
  rateComputer,
  ringNode,
  series,
  sink,
  teller,
  waitingRoom,
] as readonly unknown[] as readonly ActorDefinition[];
