/** tus-js-client as a promise with a deadline, and files for it to send. */
import { createHash } from 'node:crypto';
import { Upload } from 'tus-js-client';

type Options = ConstructorParameters<typeof Upload>[1];
type Source = ConstructorParameters<typeof Upload>[0];

const DEADLINE_MS = 45_000;

export interface Sent {
  /** The id of the upload. */
  readonly id: string;
  /** Offsets that HEAD and PATCH answered with. */
  readonly offsets: readonly number[];
  /** Answers, as `METHOD status`. */
  readonly answers: readonly string[];
}

/** As `acme`. Tries again and again, every 100 ms. */
export function upload(port: number, file: Source, options: Partial<Options> = {}): Promise<Sent> {
  const offsets: number[] = [];
  const answers: string[] = [];
  return new Promise((resolve, reject) => {
    const client = new Upload(file, {
      endpoint: `http://127.0.0.1:${port}/uploads/tus`,
      headers: { Authorization: 'Bearer acme' },
      retryDelays: Array.from({ length: 300 }, () => 100),
      metadata: { filename: 'debtors.csv' },
      onAfterResponse: (request, response) => {
        answers.push(`${request.getMethod()} ${response.getStatus()}`);
        const offset = response.getHeader('Upload-Offset');
        if (offset !== undefined && offset !== '') offsets.push(Number(offset));
      },
      onSuccess: () => {
        clearTimeout(deadline);
        const url = client.url ?? '';
        resolve({ id: url.slice(url.lastIndexOf('/') + 1), offsets, answers });
      },
      onError: (error) => {
        clearTimeout(deadline);
        reject(error);
      },
      ...options,
    });
    const deadline = setTimeout(() => {
      void client.abort();
      reject(
        new Error(
          `not sent within ${DEADLINE_MS} ms; answers ${answers.slice(-20)}, offsets ${offsets.slice(-20)}`,
        ),
      );
    }, DEADLINE_MS);
    client.start();
  });
}

/** Lines, each with its number, so that nothing in it is there twice. */
export function randomText(random: () => number, bytes: number): Buffer {
  const lines: string[] = ['line,text\n'];
  let length = 10;
  for (let number = 0; length < bytes; number++) {
    const line = `${number},${Math.floor(random() * 2 ** 48).toString(36)}${'abcdefghij'.repeat(8)}\n`;
    lines.push(line);
    length += line.length;
  }
  return Buffer.from(lines.join('').slice(0, bytes));
}

export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
