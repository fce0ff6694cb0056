/**
 * Clients of uploads who do not give up: each sends a file again and again, through any number of the node's lives, until it is acknowledged,
 * and holds the node to what it has acknowledged before.
 */
import { Readable } from 'node:stream';
import { idOf, type Posted, type UploadNode } from './upload-node.js';

/** So long a body takes, whatever the machine: a kill finds it under way. */
const PIECE_BYTES = 64 * 1024;
const PIECE_MS = 4;
const AGAIN_MS = 20;
/** In one life of the node: then it is at fault. */
const SERVED_MS_MAX = 60_000;

export class UploadClients {
  readonly #node: UploadNode;
  readonly #fraction: () => number;
  #serving: Promise<void> = Promise.resolve();
  #serve: () => void = () => {};
  #servedMs = performance.now();

  /** @param fraction [0, 1) */
  constructor(node: UploadNode, fraction: () => number) {
    this.#node = node;
    this.#fraction = fraction;
  }

  /** From now on nothing is sent. What is under way goes on. */
  hold(): void {
    this.#serving = new Promise((resolve) => {
      this.#serve = resolve;
    });
  }

  goOn(): void {
    this.#servedMs = performance.now();
    this.#serve();
  }

  /** `POST /uploads` with an Idempotency-Key until it is answered with 201: the id. */
  async post(bytes: Buffer, key: string, kind: 'raw' | 'form'): Promise<string> {
    const boundary = `boundary-${key}`;
    const type = kind === 'form' ? `multipart/form-data; boundary=${boundary}` : 'text/csv';
    const headers = { 'content-type': type, 'idempotency-key': key };
    for (;;) {
      const body = Readable.from(kind === 'form' ? formPieces(bytes, boundary) : pieces(bytes));
      const answer = await this.#sent(() => this.#node.post(body, { headers }));
      if (answer?.status === 201) return idOf(answer);
      // The upload of the life before comes in, as far as the row knows; or a part of the node is not there yet.
      if (answer !== undefined && ![409, 503].includes(answer.status)) {
        throw new Error(`an unexpected answer: ${answer.status} ${answer.body}`);
      }
    }
  }

  /** Resumable, in requests of up to 3 MiB, until the node has all of it: the id. */
  async resumable(bytes: Buffer): Promise<string> {
    let path: string | undefined;
    let acknowledged = 0;
    while (path === undefined) path = await this.#create(bytes.length);
    for (;;) {
      const offset = await this.#offset(path);
      if (offset === undefined) continue;
      if (offset < acknowledged)
        throw new Error(`${acknowledged} bytes were acknowledged, and ${offset} are there`);
      acknowledged = offset;
      if (offset === bytes.length) return path.slice(path.lastIndexOf('/') + 1);
      const end = Math.min(bytes.length, offset + 1 + Math.floor(this.#fraction() * 3 * 1024 * 1024));
      const answer = await this.#tus('PATCH', path, {
        body: Readable.from(pieces(bytes.subarray(offset, end))),
        headers: { 'content-type': 'application/offset+octet-stream', 'upload-offset': `${offset}` },
      });
      if (answer?.status === 204) acknowledged = Number(answer.headers['upload-offset']);
      else refuse(answer, [409, 423, 503]);
    }
  }

  async #create(length: number): Promise<string | undefined> {
    const filename = Buffer.from('resumable.csv').toString('base64');
    const answer = await this.#tus('POST', '/uploads/tus', {
      headers: { 'upload-length': `${length}`, 'upload-metadata': `filename ${filename}` },
    });
    if (answer?.status === 201) return String(answer.headers.location);
    refuse(answer, [503]);
    return undefined;
  }

  async #offset(path: string): Promise<number | undefined> {
    const answer = await this.#tus('HEAD', path, {});
    if (answer?.status === 200) return Number(answer.headers['upload-offset']);
    refuse(answer, [423, 503]);
    return undefined;
  }

  #tus(
    method: 'POST' | 'HEAD' | 'PATCH',
    path: string,
    { headers = {}, body }: { headers?: Record<string, string>; body?: Readable },
  ): Promise<Posted | undefined> {
    return this.#sent(() =>
      this.#node.ask(method, path, {
        headers: { 'tus-resumable': '1.0.0', ...headers },
        ...(body === undefined ? {} : { body }),
      }),
    );
  }

  /** Undefined: the connection was refused or broke. */
  async #sent(send: () => Promise<Posted>): Promise<Posted | undefined> {
    await this.#serving;
    if (performance.now() - this.#servedMs > SERVED_MS_MAX)
      throw new Error('the node does not take the file');
    try {
      return await send();
    } catch {
      return undefined;
    } finally {
      await passed(AGAIN_MS);
    }
  }
}

function refuse(answer: Posted | undefined, expected: readonly number[]): void {
  if (answer === undefined || expected.includes(answer.status)) return;
  throw new Error(`an unexpected answer: ${answer.status} ${answer.body}`);
}

async function* pieces(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    yield bytes.subarray(start, start + PIECE_BYTES);
    await passed(PIECE_MS);
  }
}

async function* formPieces(bytes: Buffer, boundary: string): AsyncGenerator<Buffer> {
  yield Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="debtors.csv"\r\nContent-Type: text/csv\r\n\r\n`,
  );
  yield* pieces(bytes);
  yield Buffer.from(`\r\n--${boundary}--\r\n`);
}

/** What is waited for is the time itself: the pace of a client. */
function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
