/**
 * The console's files, read into memory once at the gateway's start and answered from there.
 *
 * - Names hold a hash of their content and are kept by browsers for ever; `index.html` alone is asked for again each time, with its ETag.
 * - Nothing in them is secret, so no token is asked for: the page asks its reader for one and sends it to `/api` only. Where there is no API there is no console.
 * - The policy lets the page load nothing but these files, speak to nobody but this node, and stand in no other page.
 * - Built by `npm run build`. A checkout that was compiled and not built says so, instead of an empty page.
 */

import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Answer, type SendOptions, send, writeHead } from '../answer.js';
import { problem } from '../problem.js';

const BUILT = fileURLToPath(new URL('./assets/', import.meta.url));
/** The path itself, without its last slash, is the page too. */
const BASE = '/console/';
const INDEX = 'index.html';

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "form-action 'none'",
].join('; ');
const HEADERS: Answer['headers'] = [
  ['Content-Security-Policy', POLICY],
  ['X-Content-Type-Options', 'nosniff'],
  ['Referrer-Policy', 'no-referrer'],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Vary', 'Accept-Encoding'],
];
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const NOT_THERE = problem('not-found', 'there is nothing here');
const NOT_BUILT = problem(
  'unavailable',
  'the console is not built: run `npm run build` and start the node again',
);

interface Form {
  readonly head: Answer;
  readonly bytes: Buffer;
}

interface BuiltFile {
  readonly etag: string;
  readonly unchanged: Answer;
  readonly plain: Form;
  /** The one that is taken when the browser takes it, the smallest first. */
  readonly encoded: readonly (Form & { readonly encoding: string })[];
}

/** What was built, by name: empty when nothing was. */
function readBuilt(folder: string): ReadonlyMap<string, BuiltFile> {
  const files = new Map<string, BuiltFile>();
  const names = new Set(filesIn(folder));
  for (const name of names) {
    const contentType = TYPES[extname(name)];
    if (contentType === undefined) continue;
    const read = (ending: string) => readFileSync(join(folder, name + ending));
    const plain = read('');
    const etag = `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`;
    const caching = name === INDEX ? 'no-cache' : 'public, max-age=31536000, immutable';
    const headers: Answer['headers'] = [...HEADERS, ['Cache-Control', caching], ['ETag', etag]];
    const head: Answer = { status: '200 OK', contentType, headers, body: '' };
    files.set(name, {
      etag,
      unchanged: { status: '304 Not Modified', contentType: '', headers, body: '' },
      plain: { head, bytes: plain },
      encoded: [
        { encoding: 'br', ending: '.br' },
        { encoding: 'gzip', ending: '.gz' },
      ]
        .filter(({ ending }) => names.has(name + ending))
        .map(({ encoding, ending }) => ({
          encoding,
          head: { ...head, headers: [...headers, ['Content-Encoding', encoding]] },
          bytes: read(ending),
        })),
    });
  }
  return files;
}

/** The answer to each path below `/console`, GET or HEAD. */
export class ConsoleFiles {
  readonly #files: ReadonlyMap<string, BuiltFile>;

  constructor(folder = BUILT) {
    this.#files = readBuilt(folder);
  }

  answer(res: HttpResponse, req: HttpRequest, options: SendOptions): void {
    const name = req.getUrl().slice(BASE.length);
    const file = this.#files.get(name === '' ? INDEX : name);
    if (file === undefined) send(res, this.#files.size === 0 ? NOT_BUILT : NOT_THERE, options);
    else if (namesEtag(req.getHeader('if-none-match'), file.etag)) send(res, file.unchanged, options);
    else sendBytes(res, chosen(file, req.getHeader('accept-encoding')), options);
  }
}

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

function namesEtag(header: string, etag: string): boolean {
  return header.split(',').some((each) => each.trim().replace(/^W\//, '') === etag);
}

function chosen(file: BuiltFile, acceptEncoding: string): Form {
  const accepted = acceptEncoding
    .toLowerCase()
    .split(',')
    .map((each) => each.trim());
  const takes = (encoding: string) =>
    accepted.some((each) => each.split(';')[0]?.trim() === encoding && !/;\s*q=0(?:\.0*)?$/.test(each));
  return file.encoded.find(({ encoding }) => takes(encoding)) ?? file.plain;
}

function sendBytes(res: HttpResponse, { head, bytes }: Form, { head: headOnly, close }: SendOptions): void {
  res.cork(() => {
    writeHead(res, head);
    if (headOnly !== true) {
      res.end(bytes, close);
      return;
    }
    res.writeHeader('Content-Length', String(bytes.byteLength));
    if (close === true) res.writeHeader('Connection', 'close');
    res.endWithoutBody();
  });
}
