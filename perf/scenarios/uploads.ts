/**
 * How fast files come in and are read, and what that costs in memory: a large file through a node into an S3 server, through
 * the tus server, and straight into it; a million debtors through the actor, and through `psql \copy`.
 *
 * `UPLOADS_SCALE` (default 1) multiplies the sizes: 0.01 for a short try, whose figures say nothing. At 1 it takes 10 GB of disk.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SWIFT_PROGRAMS } from '../../storage/objects/swift.js';
import { Findings } from '../harness/findings.js';
import type { Bench, Scenario } from '../harness/scenario.js';
import { startUploadNode } from '../uploads/node.js';
import { measureRows } from '../uploads/rows.js';
import { type UploadSizes, uploadSizes } from '../uploads/sizes.js';
import { measureTransfer } from '../uploads/transfer.js';

const MEMORY_MIB_MAX = 128;

export const uploads: Scenario = {
  name: 'uploads',
  title: 'Large files: transfer, rows, memory',
  needs: [
    ...SWIFT_PROGRAMS.map((program) => ({ program, package: program.replace(/-server$/, '') })),
    { program: 'psql', package: 'postgresql-client' },
  ],
  minutes: 8,
  isUsual: true,
  async run(bench) {
    const { rounds = 3 } = bench;
    const sizes = uploadSizes();
    const found = new Findings([
      `${rounds} rounds of each part. Everything shares the cores, the S3 server (Swift, for all of the transfer) and Postgres too; files are on the disk before anything is measured.`,
    ]);
    await transfer(bench, found, rounds, sizes);
    await rows(bench, found, rounds, sizes);
    return found.done();
  },
};

/** A directory of its own, so that the node of one part has nothing from another. */
function partDirectory(bench: Bench, name: string): string {
  const directory = join(bench.directory, name);
  mkdirSync(directory);
  return directory;
}

async function transfer(
  bench: Bench,
  found: Findings,
  rounds: number,
  { bytes, memoryBytes }: UploadSizes,
): Promise<void> {
  const directory = partDirectory(bench, 'transfer');
  const result = await measureTransfer(directory, { rounds, bytes, memoryBytes, note: bench.note });
  // Of gigabytes, which nobody needs any more.
  rmSync(directory, { recursive: true });
  const { memory } = result;
  const of = (read: (round: (typeof result.rounds)[number]) => number) => result.rounds.map(read);
  found.method(
    `Transfer: a file of ${gib(result.bytes)} in one request, kept without being read, through a node into the S3 server, through @tus/server with its store for S3, and straight into it with the minio client; round by round. Beside them objects that are put from memory.`,
  );
  found.method(
    `Memory: resident, of the node's own process without its Postgres, looked at twenty times a second while a first file of ${gib(memory.bytes)} goes through; once, not in every round.`,
  );
  const rates = of(({ tether }) => tether);
  found.group('A large file into S3', 'MB/s', 'more', [
    { subject: 'straight, with the minio client', role: 'limit', rounds: of(({ minio }) => minio) },
    { subject: 'objects of 8 MiB from memory, 4 under way', role: 'limit', rounds: of(({ puts }) => puts) },
    { subject: 'through Tether', role: 'tether', rounds: rates },
    { subject: 'through @tus/server', role: 'peer', rounds: of(({ tus }) => tus) },
  ]);
  found.group('Small objects into S3', 'puts/s', 'more', [
    {
      subject: 'objects of 64 KiB from memory, 16 under way',
      role: 'limit',
      rounds: of(({ smallPutsPerSecond }) => smallPutsPerSecond),
    },
  ]);
  found.ratio(
    'a large file into S3, through Tether / straight',
    rates,
    of(({ minio }) => minio),
    { atLeast: 0.8 },
  );
  found.ratio(
    'a large file into S3, through Tether / through @tus/server',
    rates,
    of(({ tus }) => tus),
  );
  found.group(`Memory of the node while ${gib(memory.bytes)} go through`, 'MiB', 'less', [
    { subject: 'before', role: 'tether', rounds: [memory.idleMib] },
    { subject: 'at most', role: 'tether', rounds: [memory.peakMib] },
  ]);
  found.quotient(
    `memory while ${gib(memory.bytes)} go through, beyond that before: MiB`,
    [memory.peakMib - memory.idleMib],
    { atMost: MEMORY_MIB_MAX },
  );
}

async function rows(
  bench: Bench,
  found: Findings,
  rounds: number,
  { rows: rowsOfFile }: UploadSizes,
): Promise<void> {
  const directory = partDirectory(bench, 'rows');
  // In its embedded default: files in a folder.
  const node = await startUploadNode(directory, {}, bench.nodeOptions('the whole node, rows'));
  bench.onEnd(() => node.stop());
  await bench.pinning.subject(node.pid);
  const result = await measureRows(node, directory, { rounds, rows: rowsOfFile, note: bench.note });
  const of = (read: (round: (typeof result)[number]) => number) => result.map(read);
  found.method(
    `Rows: a file of ${rowsOfFile.toLocaleString('en')} debtors from the beginning of the actor to its end (read, parsed, validated, checked for duplicates and against the blacklist, written), and psql \\copy of the same file into a table of text columns without an index, in the same Postgres. All rows must be accepted, else the run ends.`,
  );
  found.group('Rows of a file of debtors', 'rows/s', 'more', [
    { subject: 'psql \\copy', role: 'limit', rounds: of(({ copy }) => copy) },
    { subject: 'through the actor', role: 'tether', rounds: of(({ tether }) => tether) },
  ]);
  found.ratio(
    'rows, through the actor / psql \\copy',
    of(({ tether }) => tether),
    of(({ copy }) => copy),
    { atLeast: 0.25 },
  );
}

const gib = (bytes: number) => `${Number((bytes / 1024 ** 3).toPrecision(2))} GiB`;
