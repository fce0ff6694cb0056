/** A node for tests of uploads: in a process of its own, on a data directory that outlives it, with what its clients ask. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Dispatcher, request } from 'undici';
import { silentLogger } from '../../runtime/logger.js';
import { until } from '../../runtime/testing/until.js';
import { createPool, embeddedPostgresUrl, type Pool } from '../../storage/postgres/index.js';
import { copyTestData } from '../../storage/postgres/test-data.js';
import { freePort } from '../../storage/test-free-port.js';
import { postgresDir } from '../data-dir.js';
import type { UploadCounts } from './debtor-file.js';
import { isAlive, type NodeProcess, startNodeProcess } from './node-process.js';

interface TestScope {
  teardown(work: () => Promise<void>): void;
}

/** What the tests look at. */
export interface UploadAnswer {
  readonly id: string;
  readonly state: string;
  readonly filename: string;
  readonly bytes: number;
  readonly sha256: string | null;
  readonly counts: UploadCounts;
  readonly processedBytes: number;
  readonly failure: { readonly code: string } | null;
  readonly version: number;
}

export interface Posted {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly body: string;
}

const TOKEN = 'token-of-a-test-0123456789';
const REQUEST_MS_MAX = 60_000;

export class UploadNode {
  readonly dataDir: string;
  readonly port: number;
  readonly #env: Readonly<Record<string, string>>;
  #node: NodeProcess | undefined;
  #pool: { readonly url: string; readonly pool: Pool } | undefined;

  private constructor(dataDir: string, port: number, env: Readonly<Record<string, string>>) {
    this.dataDir = dataDir;
    this.port = port;
    this.#env = env;
  }

  /** Not started yet. Whatever is there at the end of the test goes with it. */
  static async make(t: TestScope, env: Readonly<Record<string, string>> = {}): Promise<UploadNode> {
    const dataDir = mkdtempSync(join(tmpdir(), 'tether-uploads-'));
    await copyTestData(postgresDir(dataDir));
    const made = new UploadNode(dataDir, await freePort(), { TETHER_API_TOKEN: TOKEN, ...env });
    t.teardown(async () => {
      await made.kill((pids) => pids);
      rmSync(dataDir, { recursive: true, force: true });
    });
    return made;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get authorization(): string {
    return `Bearer ${TOKEN}`;
  }

  get process(): NodeProcess {
    if (this.#node === undefined) throw new Error('the node was not started');
    return this.#node;
  }

  /** Resolves when it serves and its schema is there. */
  async start(): Promise<void> {
    this.spawn();
    await this.process.ready;
    await this.untilDatabase();
  }

  /** As `start`, and does not wait. */
  spawn(): void {
    this.#node = startNodeProcess({ port: this.port, dataDir: this.dataDir, env: this.#env });
  }

  async untilDatabase(): Promise<void> {
    await until(
      'the database is there',
      async () => (await this.readiness()).includes('"database":"ok"'),
      30_000,
    );
  }

  async readiness(): Promise<string> {
    return (await fetch(`${this.url}/readyz`)).text();
  }

  /** SIGKILL of the node, its Postgres and all else that it started, in the order of `shuffle`. */
  async kill(shuffle: (pids: number[]) => number[]): Promise<void> {
    await this.#pool?.pool.end();
    this.#pool = undefined;
    if (this.#node !== undefined && isAlive(this.#node.pid)) await this.#node.killTree(shuffle);
  }

  /** Of the Postgres that serves now; ends with this life of the node. */
  async pool(): Promise<Pool> {
    const url = await embeddedPostgresUrl(postgresDir(this.dataDir));
    if (url === undefined) throw new Error('no embedded Postgres serves');
    if (this.#pool?.url !== url) {
      await this.#pool?.pool.end();
      const pool = createPool({ url, connectionsMax: 4, applicationName: 'test', logger: silentLogger });
      this.#pool = { url, pool };
    }
    return this.#pool.pool;
  }

  /** `POST /uploads`, the file as body. Rejects when the connection breaks. */
  post(
    body: Dispatcher.RequestOptions['body'],
    { query = '', headers = {} }: { readonly query?: string; readonly headers?: Record<string, string> } = {},
  ): Promise<Posted> {
    return this.ask('POST', `/uploads${query}`, { headers, body });
  }

  async ask(
    method: Dispatcher.HttpMethod,
    path: string,
    {
      headers = {},
      body = null,
    }: { headers?: Record<string, string>; body?: Dispatcher.RequestOptions['body'] } = {},
  ): Promise<Posted> {
    const answer = await request(`${this.url}${path}`, {
      method,
      headers: { authorization: this.authorization, ...headers },
      body: body ?? null,
      headersTimeout: REQUEST_MS_MAX,
      bodyTimeout: REQUEST_MS_MAX,
    });
    return { status: answer.statusCode, headers: answer.headers, body: await answer.body.text() };
  }

  /** Asks again while a part of the node is away. */
  async upload(id: string): Promise<UploadAnswer> {
    let answer: Posted | undefined;
    await until(
      `upload ${id} is shown`,
      async () => {
        answer = await this.ask('GET', `/uploads/${id}`);
        return answer.status !== 503;
      },
      30_000,
    );
    if (answer?.status !== 200) throw new Error(`an unexpected answer: ${answer?.status} ${answer?.body}`);
    return JSON.parse(answer.body) as UploadAnswer;
  }

  /** Until the upload is in one of `states`. */
  async untilState(id: string, states: readonly string[], deadlineMs = 30_000): Promise<UploadAnswer> {
    let upload = await this.upload(id);
    await until(
      `upload ${id} is ${states.join(' or ')}`,
      async () => {
        upload = await this.upload(id);
        return states.includes(upload.state);
      },
      deadlineMs,
    ).catch((error: unknown) => {
      throw new Error(`it is ${JSON.stringify(upload)}\n${this.process.output()}`, { cause: error });
    });
    return upload;
  }
}

/** The id in a 201. */
export function idOf({ status, body }: Posted): string {
  if (status !== 201) throw new Error(`an unexpected answer: ${status} ${body}`);
  return (JSON.parse(body) as UploadAnswer).id;
}
