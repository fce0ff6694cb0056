/**
 * Moves files into the object store of a node: each is hashed, sent unless the node has it already, read back and compared, and only
 * then, when asked for, removed here.
 *
 * Nothing is written down about how far it got: the node knows each file by its content and name, so that a second run after whatever
 * ended the first one sends what is missing and nothing else.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { cleanFilename } from '../../actors/upload/filename.js';
import { backoffMs, type RetryPolicy } from '../../runtime/retry.js';
import { NodeRequestError } from '../errors.js';
import type { FoundFile } from './find-files.js';
import { type ImportClient, ImportRefusedError } from './import-client.js';

interface ImportOptions {
  readonly files: readonly FoundFile[];
  readonly client: ImportClient;
  /** Look only: nothing is sent or removed. */
  readonly dryRun: boolean;
  /** Remove a file here once the node has given it back unchanged. */
  readonly remove: boolean;
  readonly concurrency: number;
  /** How long one file is tried while the node is away. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  /** A file is done: its bytes. */
  onDone(bytes: number): void;
  /** One line for people. */
  onTrouble(line: string): void;
}

interface ImportSummary {
  /** Sent now; in a dry run, those that would be. */
  imported: number;
  importedBytes: number;
  /** There already, and compared. */
  known: number;
  removed: number;
  /** With the reason, which stays. */
  refused: number;
  failed: number;
  /** Not reached, since the node stayed away or the run was stopped. */
  unreached: number;
}

const RETRY: RetryPolicy = { attemptsMax: Number.POSITIVE_INFINITY, delayMs: 200, delayMsMax: 5_000 };

/** Rejects only when a file could not be tried for other reasons than itself. */
async function importFiles(options: ImportOptions): Promise<ImportSummary> {
  const summary: ImportSummary = {
    imported: 0,
    importedBytes: 0,
    known: 0,
    removed: 0,
    refused: 0,
    failed: 0,
    unreached: 0,
  };
  const rest = options.files.values();
  let gaveUp = false;
  const worker = async (): Promise<void> => {
    for (const file of rest) {
      if (gaveUp || options.signal.aborted) {
        summary.unreached++;
        continue;
      }
      try {
        await importFile(file, options, summary);
      } catch (error) {
        if (options.signal.aborted) summary.unreached++;
        else if (error instanceof ImportRefusedError) {
          summary.refused++;
          options.onTrouble(`${file.shown}: refused: ${error.message}`);
        } else {
          summary.failed++;
          gaveUp ||= error instanceof NodeRequestError;
          options.onTrouble(`${file.shown}: ${error instanceof Error ? error.message : String(error)}`);
        }
      }
      options.onDone(file.bytes);
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, worker));
  return summary;
}

async function importFile(file: FoundFile, options: ImportOptions, summary: ImportSummary): Promise<void> {
  const { client, dryRun, signal } = options;
  const filename = cleanFilename(basename(file.path));
  const before = await stat(file.path);
  const sha256 = await hashOf(file.path, signal);
  const known = await patiently(options, () => client.find(sha256, filename));
  if (dryRun) {
    if (known === undefined) {
      summary.imported++;
      summary.importedBytes += file.bytes;
    } else summary.known++;
    return;
  }
  const id =
    known ??
    (await patiently(options, () => client.send({ path: file.path, bytes: before.size, sha256, filename })));
  const kept = await patiently(options, () => client.readBack(id));
  if (kept !== sha256) {
    throw new ImportRefusedError(`upload ${id} is not the same file when it is read back; it stays here`);
  }
  if (known === undefined) {
    summary.imported++;
    summary.importedBytes += before.size;
  } else summary.known++;
  if (options.remove && (await isUnchanged(file.path, before))) {
    await rm(file.path);
    summary.removed++;
  }
}

/** Tries again while the node is away, for `deadlineMs` at most. */
async function patiently<T>({ deadlineMs, signal }: ImportOptions, work: () => Promise<T>): Promise<T> {
  const endMs = performance.now() + deadlineMs;
  for (let failures = 1; ; failures++) {
    try {
      return await work();
    } catch (error) {
      const passes = error instanceof NodeRequestError && !(error instanceof ImportRefusedError);
      const waitMs = backoffMs(failures, RETRY, Math.random);
      if (!passes || performance.now() + waitMs > endMs) throw error;
      await pause(waitMs, undefined, { signal });
    }
  }
}

async function hashOf(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash, { signal });
  return hash.digest('hex');
}

async function isUnchanged(
  path: string,
  { size, mtimeMs }: { readonly size: number; readonly mtimeMs: number },
): Promise<boolean> {
  const now = await stat(path);
  return now.size === size && now.mtimeMs === mtimeMs;
}

export { type ImportOptions, type ImportSummary, importFiles };
