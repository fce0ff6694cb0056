/** `tus-server.ts` as a child that is killed and comes back on its port. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { ObjectStoreSettings } from '../../../../storage/objects/object-store.js';
import type { FromTusServer } from './tus-server.js';

const SERVER = fileURLToPath(new URL('./tus-server.js', import.meta.url));

interface TestScope {
  teardown(work: () => Promise<void>): void;
}

export class TusProcess {
  readonly #url: string;
  readonly #objects: ObjectStoreSettings;
  #child: ChildProcess | undefined;
  #port = 0;
  /** Ids of uploads, by all of its lives. */
  readonly enqueued: string[] = [];

  constructor(t: TestScope, url: string, objects: ObjectStoreSettings) {
    this.#url = url;
    this.#objects = objects;
    t.teardown(() => this.kill());
  }

  get port(): number {
    return this.#port;
  }

  /** Resolves when it listens, on the port that it had before. */
  async start(): Promise<void> {
    if (this.#port === 0) this.#port = await freePort();
    const child = fork(SERVER, [this.#url, JSON.stringify(this.#objects), String(this.#port)], {
      execArgv: [],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    this.#child = child;
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the server ended by ${code} before it listened`)));
      child.on('message', (message: FromTusServer) => {
        if (message.type === 'enqueued') this.enqueued.push(message.uploadId);
        else resolve();
      });
    });
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
}

/** One that the kernel chose for uWebSockets.js could not be listened on again while its connections wait for their end. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}
