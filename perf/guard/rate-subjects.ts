/**
 * What is measured in rates: programs of a side in processes of their own, under the load of head. What needs a server besides (the payment actor
 * and its database) is not in it: `bench:e2e` has it.
 */

import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEFAULT_ENDPOINT } from '../../deploy/endpoint.js';
import { empTraffic } from '../../deploy/send/emp-traffic.js';
import { runSubject } from '../actors/subject.js';
import { startChild } from '../harness/child.js';
import { createPinning } from '../harness/pinning.js';
import { formRequest, runWrk, writeRequests } from '../load/wrk.js';
import { moduleOf, type Side } from './side.js';

export interface RateSubject {
  /** What it has to measure, each of them in each round. */
  readonly measures: readonly string[];
  /** @param directory for this process alone @throws NotThereError (rejects) */
  start(side: Side, directory: string): Promise<Running>;
}

export interface Running {
  /** Per second, of the measure of that number. */
  rate(measure: number, seconds: number): Promise<number>;
  stop(): Promise<void>;
}

const SEED = 20_261_126;
const REQUESTS = 20_000;
const CONNECTIONS = [64, 512] as const;
/** Of the benchmarks of actors, a process of which takes a second at any scale. */
const ACTORS = ['counting', 'ping-pong'] as const;
const SCALE = 0.2;
const ACTORS_MS_MAX = 60_000;
const ANSWER_MS_MAX = 30_000;

/** @param directory for the file of requests */
export function rateSubjects(directory: string): readonly RateSubject[] {
  return [edge(directory), journal, actors];
}

function edge(directory: string): RateSubject {
  const requestsFile = join(directory, 'requests');
  const path = `/webhooks/${DEFAULT_ENDPOINT.name}/${DEFAULT_ENDPOINT.token}`;
  const password = DEFAULT_ENDPOINT.secrets[0] ?? '';
  const traffic = empTraffic({ seed: SEED, count: REQUESTS, password, kinds: ['processing'] });
  writeRequests(
    requestsFile,
    Array.from(traffic, ({ body }) => formRequest(path, body)),
  );
  return {
    measures: CONNECTIONS.map((connections) => `edge, ${connections} connections`),
    async start(side, place) {
      mkdirSync(place);
      const child = await startChild<{ readonly port: number }>(moduleOf(side, 'perf/subjects/edge.js'), [
        place,
      ]);
      return {
        async rate(measure, seconds) {
          const connections = CONNECTIONS[measure] ?? 1;
          const { port } = child.ready;
          const run = { port, connections, seconds, requestsFile, serverPid: child.pid };
          const result = await runWrk({ ...run, pinning });
          if (result.errors > 0)
            throw new Error(`${side.name}: ${result.errors} requests were not acknowledged`);
          return result.requestsPerSecond;
        },
        async stop() {
          await child.stop();
          rmSync(place, { recursive: true, force: true });
        },
      };
    },
  };
}

const pinning = createPinning();

const journal: RateSubject = {
  measures: ['journal, appends'],
  async start(side, place) {
    moduleOf(side, 'storage/journal/index.js');
    mkdirSync(place);
    const program = new URL('./journal-program.js', import.meta.url);
    const child = await startChild<object>(program, [side.dist, side.name, place]);
    return {
      async rate(_, seconds) {
        const ms = seconds * 1_000;
        const answer = (await child.ask({ ms }, ms + ANSWER_MS_MAX)) as {
          readonly perSecond?: number;
          readonly error?: string;
        };
        if (answer.perSecond === undefined)
          throw new Error(`${side.name}: an append failed: ${answer.error}`);
        return answer.perSecond;
      },
      async stop() {
        await child.stop();
        rmSync(place, { recursive: true, force: true });
      },
    };
  },
};

/** Each measurement is a process of its own, which decides itself how long it measures. */
const actors: RateSubject = {
  measures: ACTORS.map((name) => `actors in a thread, ${name}`),
  async start(side) {
    const path = fileURLToPath(moduleOf(side, 'perf/actors/tether/one-thread.js'));
    const subject = {
      name: side.name,
      title: side.name,
      role: 'tether' as const,
      command: (name: string, scale: number) => ({ file: process.execPath, args: [path, name, `${scale}`] }),
    };
    return {
      async rate(measure) {
        const outcome = await runSubject(subject, ACTORS[measure] ?? ACTORS[0], SCALE, ACTORS_MS_MAX);
        if (outcome.kind !== 'rate') throw new Error(`${side.name}: a benchmark of actors has no rate`);
        return outcome.messagesPerSecond;
      },
      async stop() {},
    };
  },
};
