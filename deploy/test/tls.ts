/** HTTPS for tests: a certificate that nobody vouches for, and requests that do not mind. */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface Certificate {
  /** Files, PEM. */
  readonly certificate: string;
  readonly key: string;
  /** Both in one. */
  readonly both: string;
}

/** By the program openssl, for two days; from `clock` on, such as `-10d`, by the program faketime. */
export async function makeCertificate(directory: string, clock = '+0d'): Promise<Certificate> {
  const [certificate, key, both] = ['tls.pem', 'tls.key', 'tls-both.pem'].map((name) =>
    join(directory, name),
  ) as [string, string, string];
  const subject = 'subjectAltName=DNS:tether.example,DNS:localhost,IP:127.0.0.1';
  await promisify(execFile)('faketime', [
    ...['-f', clock, 'openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    ...['-nodes', '-subj', '/CN=tether.example', '-addext', subject, '-days', '2'],
    ...['-out', certificate, '-keyout', key],
  ]);
  await writeFile(both, (await readFile(certificate, 'utf8')) + (await readFile(key, 'utf8')), {
    mode: 0o600,
  });
  return { certificate, key, both };
}

export interface TlsRequest {
  readonly port: number;
  readonly path: string;
  readonly method?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
  readonly localAddress?: string;
}

const ANSWER_MS_MAX = 15_000;

/** On a connection of its own. */
export function askTls({
  port,
  path,
  method = 'GET',
  headers = [],
  body,
  localAddress = '127.0.0.1',
}: TlsRequest) {
  return new Promise<{ readonly status: number; readonly body: string }>((resolve, reject) => {
    const given = Object.fromEntries(headers.map((line) => line.split(/: */, 2) as [string, string]));
    const asked = request(
      {
        ...{ host: '127.0.0.1', port, path, method, localAddress, agent: false, rejectUnauthorized: false },
        headers: { ...given, ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }) },
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk) => (text += chunk));
        answer.on('error', reject);
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text }));
      },
    );
    asked.on('error', reject);
    asked.end(body);
  });
}
