/**
 * An S3 server for tests: Swift (`swift.ts`), gone with the test.
 *
 * Its ports are free ones; another process may still be faster, so a start that fails is tried again with others. A missing program fails the
 * test.
 *
 * Its start takes seven seconds of a core. In a run of the whole suite one serves all files, each in buckets of its own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../runtime/testing/until.js';
import { findProgram } from '../find-program.js';
import { freePort } from '../test-free-port.js';
import { prepareSwift, SWIFT_PACKAGES, SWIFT_PROGRAMS, type Swift } from './swift.js';

/** The part of tap's `t` that is used. */
export interface TestScope {
  teardown(work: () => Promise<void>): void;
}

export interface TestS3Server {
  /** Without a bucket, with the right keys. */
  readonly root: string;
  readonly port: number;
  /** With the right keys; by another port for a proxy in front of it. */
  url(bucket: string, port?: number): string;
}

/** Of the environment: the URL of the server that the suite has started, without a bucket. */
export const TEST_S3_URL = 'TEST_S3_URL';

const SECRET_KEY = 'testing-secret-1';
const STARTS_MAX = 3;
const START_MS_MAX = 20_000;

/** Takes about two seconds when a file runs alone: start one for a file of tests, not one for each test. */
export async function startTestS3Server(t: TestScope): Promise<TestS3Server> {
  const root = process.env[TEST_S3_URL] ?? (await startOwn(t));
  const port = Number(new URL(root).port);
  const own = randomBytes(4).toString('hex');
  const url = (bucket: string, by = port) => {
    const whole = new URL(`${own}-${bucket}`, root);
    whole.port = `${by}`;
    return whole.href;
  };
  return { root, port, url };
}

/** @returns the URL of its root, with the right keys */
async function startOwn(t: TestScope): Promise<string> {
  const missing = SWIFT_PROGRAMS.filter((program) => findProgram(program) === undefined);
  if (missing.length > 0) {
    throw new Error(
      `the tests of S3 need ${missing.join(', ')}: apt-get install --no-install-recommends ${SWIFT_PACKAGES}`,
    );
  }
  for (let attempt = 1; ; attempt++) {
    const root = await mkdtemp(join(tmpdir(), 'tether-s3-'));
    const children: ChildProcess[] = [];
    const stop = async () => {
      await Promise.all(children.map(ended));
      await rm(root, { recursive: true, force: true });
    };
    try {
      const ports = {
        proxy: await freePort(),
        account: await freePort(),
        container: await freePort(),
        object: await freePort(),
        cache: await freePort(),
      };
      const swift = await prepareSwift({ directory: root, ports, secretKey: SECRET_KEY });
      await start(swift, root, children);
      t.teardown(stop);
      return swift.url('');
    } catch (error) {
      const logs = await logsOf(root);
      await stop();
      if (attempt === STARTS_MAX) throw new Error(`the S3 server did not start:\n${logs}`, { cause: error });
    }
  }
}

async function start({ programs }: Swift, root: string, children: ChildProcess[]): Promise<void> {
  await mkdir(join(root, 'log'));
  for (const { name, command } of programs) {
    const log = openSync(join(root, 'log', name), 'w');
    // Should this process be killed, so is the server.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...command], { stdio: ['ignore', log, log] });
    closeSync(log);
    child.on('error', () => {});
    children.push(child);
  }
  await until(
    'the S3 server answers',
    async () => {
      if (children.some((child) => child.exitCode !== null))
        throw new Error('a process of the S3 server ended');
      if ((await Promise.all(programs.map((program) => program.isUp()))).every(Boolean)) return true;
      // Asking takes from what starts.
      await new Promise((resolve) => setTimeout(resolve, 50));
      return false;
    },
    START_MS_MAX,
  );
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exit;
}

async function logsOf(root: string): Promise<string> {
  const directory = join(root, 'log');
  const names = await readdir(directory).catch(() => []);
  const texts = await Promise.all(
    names.map(async (name) => `${name}: ${(await readFile(join(directory, name), 'utf8')).slice(-2_000)}`),
  );
  return texts.join('\n');
}
