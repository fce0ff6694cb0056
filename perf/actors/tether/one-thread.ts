/** The suite on Tether, all actors in this one thread: a kernel without a way out. */
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { ActorType } from '../../../runtime/actor.js';
import { type ActorRef, DEFAULT_RETRY, silentLogger, systemClock } from '../../../runtime/index.js';
import { Kernel } from '../../../runtime/kernel/kernel.js';
import { ACTIVATIONS } from '../parameters.js';
import { runProgram } from '../program.js';
import holder from './actors/holder.js';
import { ACTORS } from './actors/index.js';
import { suite } from './run.js';

/** Activations that are made in one go. */
const SLICE = 10_000;

const kernel = new Kernel({
  clock: systemClock,
  random: Math.random,
  retry: DEFAULT_RETRY,
  receiveMsMax: 300_000,
  waitingMax: 1_000_000,
  logger: silentLogger,
  transport: undefined,
  onEvent: () => {},
  id: 0,
});
for (const definition of ACTORS) {
  kernel.host({
    definition,
    resources: undefined,
    logger: silentLogger,
    outcome: { done() {}, dead() {}, parked() {}, outage() {}, forgotten() {} },
  });
}
const actors = {
  ref: <Body>(actor: ActorType<Body>, key: string) =>
    kernel.ref(typeof actor === 'string' ? actor : actor.type, key) as ActorRef<Body>,
};

await runProgram({ ...suite(actors), [ACTIVATIONS]: bytesPerActivation });

/** What the heap grows by when each of so many keys that are there already is sent a message. */
async function bytesPerActivation(activations: number): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const bytes = () => {
    collectGarbage();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const keys = Array.from({ length: activations }, (_, at) => String(at));
  const before = bytes();
  for (const [at, key] of keys.entries()) {
    void actors.ref(holder, key).tell(1);
    if (at % SLICE === 0) await setImmediate();
  }
  while (kernel.waiting > 0) await setImmediate();
  const grown = bytes() - before;
  const live = kernel.hostOf(holder.type)?.live;
  if (live !== keys.length) throw new Error(`${live} activations are alive, not ${keys.length}`);
  return grown / activations;
}
