/** The suite on nact: one thread, actors in memory. */
import { runProgram } from '../program.js';
import { banking, dictionary, logisticMap } from './concurrency.js';
import {
  big,
  chameneos,
  counting,
  forkJoinCreate,
  forkJoinThroughput,
  pingPong,
  threadRing,
} from './micro.js';
import { barber, boundedBuffer, philosophers } from './services.js';

await runProgram({
  'ping-pong': pingPong,
  counting,
  'fork-join-throughput': forkJoinThroughput,
  'fork-join-create': forkJoinCreate,
  'thread-ring': threadRing,
  chameneos,
  big,
  'concurrent-dictionary': dictionary,
  'bounded-buffer': boundedBuffer,
  'dining-philosophers': philosophers,
  'sleeping-barber': barber,
  banking,
  'logistic-map': logisticMap,
});
