/** What `tether tune` does: looks whether it may, asks, measures, tells, and tries or sets what is recommended. */
import { randomBytes } from 'node:crypto';
import { availableParallelism, constants } from 'node:os';
import { z } from 'zod';
import { statusSchema } from '../../gateway/api/status-schema.js';
import { UsageError } from '../errors.js';
import { EXIT } from '../exit-codes.js';
import type { Environment } from '../settings.js';
import { type Applied, applyRecommended } from '../tune/apply.js';
import type { Measurements } from '../tune/measurements.js';
import { nodePool } from '../tune/node-pool.js';
import { checkNode, checkPlace, checkPool, checkScopes } from '../tune/preflight.js';
import { findingText, keepText, stepLine, stepsText, trialText } from '../tune/report.js';
import { type Pace, paceOf, type Tuned, tuneNode } from '../tune/tune.js';
import { confirm } from './confirm.js';
import { createNodeClient, type NodeClient, type NodeFlags, nodeAddress } from './node-client.js';
import { referred } from './referred.js';

interface TuneFlags extends NodeFlags {
  readonly seconds: number;
  readonly rateFirst: number;
  readonly rateMax: number;
  readonly p99: number;
  readonly connections: number;
  readonly endpoint: string;
  readonly endpointToken: string;
  readonly password: string;
  readonly actor?: string;
  readonly try?: true;
  readonly rounds: number;
  readonly write?: true;
  readonly remote?: string;
  readonly yes?: true;
}

const meSchema = z.object({ scopes: z.array(z.string()) });
const configSchema = z.object({ keys: z.array(z.object({ key: z.string(), value: z.string() })) });

interface TuneIo {
  /** Results. */
  readonly print: (text: string) => void;
  /** What is going on, a line. */
  readonly say: (line: string) => void;
  /** Undefined: nobody can be asked. */
  readonly ask: (question: string) => Promise<boolean | undefined>;
  /** Default: by the seconds of the ramp. */
  readonly pace?: Pace;
}

const TERMINAL: TuneIo = {
  print: (text) => process.stdout.write(text),
  say: (line) => process.stderr.write(`tether: ${line}\n`),
  ask: confirm,
};

/** The exit code. @throws UsageError, ConfigError, TuneError, NodeRequestError */
async function tune(flags: TuneFlags, env: Environment, io: TuneIo = TERMINAL): Promise<number> {
  const { print, say, ask } = io;
  const { url, token } = await nodeAddress(flags, env);
  const [endpointToken, password] = await Promise.all([
    referred('--endpoint-token', flags.endpointToken, env),
    referred('--password', flags.password, env),
  ]);
  const place = await checkPlace(url, flags.remote);
  const node = createNodeClient(url, token);
  const status = () => node.call('GET', '/api/status', statusSchema);
  const first = await status();
  checkNode(first);
  if (flags.actor !== undefined) checkPool(first, flags.actor);
  const changes = flags.try === true || flags.write === true;
  if (changes) checkScopes((await node.call('GET', '/api/me', meSchema)).scopes);
  const log = await logOf(node, first.log.driver);
  const prefix = prefixOf(new Date());
  say(
    `sends test payments to ${new URL(url).host} for about ${flags.seconds} s; they leave rows behind, with ids that begin with ${prefix}`,
  );
  if (flags.yes !== true) {
    const answer = await ask(question(flags));
    if (answer === undefined)
      throw new UsageError('nothing is sent without a terminal to ask on: give --yes');
    if (!answer) {
      say('nothing was sent');
      return EXIT.failed;
    }
  }
  const stop = untilStopped(say);
  try {
    const target = {
      url,
      endpoint: flags.endpoint,
      token: endpointToken,
      password,
      connections: flags.connections,
      here: place === 'here',
      prefix,
    };
    const options = {
      target,
      ask: status,
      actor: flags.actor,
      log,
      cores: place === 'here' ? availableParallelism() : null,
      seconds: flags.seconds,
      pace: io.pace ?? paceOf(flags.seconds),
      rateFirst: flags.rateFirst,
      rateMax: flags.rateMax,
      p99MsMax: flags.p99,
      signal: stop.signal,
      onStep: (step: Tuned['steps'][number]) => say(stepLine(step)),
      allowedOf: (actor: string) => nodePool(node, actor, stop.signal).allowed(),
    };
    const tuned = await tuneNode(options);
    const stopped = stop.signal.aborted;
    if (flags.json !== true) {
      const finding = stopped ? 'Stopped: the rest was not measured.\n' : findingText(tuned);
      print(`${stepsText(tuned.steps)}\n${finding}`);
    }
    const applied = changes && !stopped ? await apply(flags, tuned, node, options, io) : null;
    const waiting = await waitingOf(status, tuned.actor);
    if (flags.json === true) {
      const { steps, ...finding } = tuned;
      print(`${JSON.stringify({ url, prefix, stopped, ...finding, steps, applied, waiting })}\n`);
    } else {
      print(restText(stopped ? { ...tuned, recommendations: [] } : tuned, applied, waiting, prefix, changes));
    }
    return (
      stop.exitCode() ?? (tuned.limit === 'disturbed' || tuned.steps.length === 0 ? EXIT.failed : EXIT.ok)
    );
  } catch (error) {
    const code = stop.exitCode();
    // What was told to stop has no more to say, unless the settings are not what they were.
    if (code !== undefined && error instanceof Error && error.name === 'AbortError') {
      say('stopped; the settings are as they were');
      return code;
    }
    throw error;
  } finally {
    stop.release();
  }
}

function question({ try: isTried, write }: TuneFlags): string {
  if (isTried === true) return 'Send them, and try other settings of the pool?';
  return write === true ? 'Send them? Before a setting is changed you are asked again.' : 'Send them?';
}

async function apply(
  flags: TuneFlags,
  tuned: Tuned,
  node: NodeClient,
  options: Parameters<typeof tuneNode>[0],
  { ask, say }: TuneIo,
): Promise<Applied | null> {
  if (tuned.recommendations.length === 0 || tuned.actor === null) return null;
  if (flags.try !== true && flags.yes !== true && (await ask('Set what is recommended?')) !== true) {
    return null;
  }
  return applyRecommended({
    ...options,
    tuned,
    pool: nodePool(node, tuned.actor, options.signal),
    rounds: flags.try === true ? flags.rounds : 0,
    onRound: ({ kind, donePerSecond }) => say(`${kind} settings: ${Math.round(donePerSecond)}/s done`),
  });
}

function restText(
  tuned: Tuned,
  applied: Applied | null,
  waiting: number,
  prefix: string,
  changes: boolean,
): string {
  const { recommendations } = tuned;
  const lines: string[] = [];
  if (applied?.trial) lines.push(trialText(applied.trial));
  if (applied?.holds === 'new') {
    lines.push(
      `Saved, for this node and the others of its cluster.\n${keepText(recommendations, applied.least)}`,
    );
  } else if (recommendations.length > 0) {
    const values = {
      min: '--min',
      max: '--max',
      batchMax: '--batch',
      lingerMs: '--linger',
      inFlightMax: '--in-flight',
    };
    const set = recommendations.map(({ setting, to }) => `${values[setting]} ${to}`).join(' ');
    const hint = changes
      ? 'To set it all the same'
      : 'Nothing was changed. To try it: tether tune --try. To set it';
    lines.push(`${hint}: tether pools set ${tuned.actor} ${set}\n`);
  }
  if (waiting > 0) lines.push(`${waiting} messages wait still, and are worked off.\n`);
  lines.push(`The payments of this test: tether events find --dedupe processing:${prefix}\n`);
  return `\n${lines.join('')}`;
}

async function waitingOf(
  status: () => Promise<z.output<typeof statusSchema>>,
  actor: string | null,
): Promise<number> {
  const { pools } = await status();
  return pools.find((pool) => pool.actor === actor)?.lag ?? 0;
}

/** Null where the node does not say: it is of another release. */
async function logOf(node: NodeClient, driver: Measurements['log']['driver']): Promise<Measurements['log']> {
  const { keys } = await node.call('GET', '/api/config', configSchema);
  const value = keys.find(({ key }) => key === 'TETHER_DURABILITY')?.value;
  const durability = (['memory', 'commit', 'replicated'] as const).find((each) => each === value) ?? null;
  return { driver, durability };
}

/** Such as `tune-20261126-1f09a2-`: of this run, and no other. */
function prefixOf(now: Date): string {
  return `tune-${now.toISOString().slice(0, 10).replaceAll('-', '')}-${randomBytes(3).toString('hex')}-`;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Signals stop the load and put settings back, however often they come: to put them back takes a request or two. */
function untilStopped(say: TuneIo['say']) {
  const controller = new AbortController();
  let first: NodeJS.Signals | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    if (first === undefined) say('stopping');
    first ??= signal;
    controller.abort();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    signal: controller.signal,
    /** As a shell says it; undefined: none came. */
    exitCode: () => (first === undefined ? undefined : 128 + constants.signals[first]),
    release() {
      for (const signal of SIGNALS) process.off(signal, onSignal);
    },
  };
}

export { type TuneFlags, type TuneIo, tune };
