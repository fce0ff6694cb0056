/** What `tether import-files` does: finds, imports, shows how far it is, and sums up. */
import { SingleBar } from 'cli-progress';
import { ConfigError } from '../errors.js';
import { findFiles } from '../import/find-files.js';
import { createImportClient } from '../import/import-client.js';
import { type ImportSummary, importFiles } from '../import/import-files.js';
import { type Environment, parseSettings } from '../settings.js';
import { apiTokenOf } from './node-client.js';
import { overridesOf } from './options.js';

interface ImportFlags {
  readonly dryRun?: true;
  readonly remove?: true;
  readonly concurrency: number;
  readonly deadline: number;
  readonly url?: string;
  readonly dataDir?: string;
  readonly token?: string;
  readonly json?: true;
}

interface ImportReport {
  readonly text: string;
  /** Every file is there. */
  readonly complete: boolean;
}

async function runImport(directory: string, flags: ImportFlags, env: Environment): Promise<ImportReport> {
  const settings = parseSettings(env, overridesOf(flags));
  const token = await apiTokenOf(settings, flags.token, env);
  const found = await findFiles(directory).catch((cause: Error) => {
    throw new ConfigError([`${directory}: ${cause.message}`], { cause });
  });
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  const bar = startBar(found.bytes, process.stderr);
  for (const { shown, reason } of found.left) bar.say(`${printable(shown)}: left: ${reason}`);
  try {
    const summary = await importFiles({
      files: found.files,
      client: createImportClient(settings.url, token, stop.signal),
      dryRun: flags.dryRun === true,
      remove: flags.remove === true,
      concurrency: flags.concurrency,
      deadlineMs: flags.deadline * 1000,
      signal: stop.signal,
      onDone: (bytes) => bar.advance(bytes),
      onTrouble: (line) => bar.say(printable(line)),
    });
    const complete = summary.refused + summary.failed + summary.unreached + found.left.length === 0;
    const text =
      flags.json === true
        ? `${JSON.stringify({ ...summary, left: found.left.length })}\n`
        : textOf(summary, flags, found.left.length);
    return { text, complete };
  } finally {
    bar.stop();
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

function textOf(summary: ImportSummary, { dryRun }: ImportFlags, left: number): string {
  const mib = (summary.importedBytes / 1024 ** 2).toFixed(1);
  const lines = [
    `${dryRun ? 'to import' : 'imported'}   ${summary.imported} (${mib} MiB)`,
    `there       ${summary.known}`,
    ...(summary.removed > 0 ? [`removed     ${summary.removed}`] : []),
    ...(summary.refused > 0 ? [`refused     ${summary.refused}`] : []),
    ...(summary.failed > 0 ? [`failed      ${summary.failed}`] : []),
    ...(summary.unreached > 0 ? [`not reached ${summary.unreached}; run it again to go on`] : []),
    ...(left > 0 ? [`left        ${left}`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

interface ImportBar {
  advance(bytes: number): void;
  say(line: string): void;
  stop(): void;
}

/** Without a terminal only what is said. */
function startBar(bytes: number, stream: NodeJS.WritableStream & { readonly isTTY?: boolean }): ImportBar {
  if (stream.isTTY !== true) {
    return { advance: () => {}, say: (line) => stream.write(`tether: ${line}\n`), stop: () => {} };
  }
  const bar = new SingleBar({
    stream,
    format: '{bar} {percentage}% | {mib}/{totalMib} MiB | {duration_formatted} | ETA {eta_formatted}',
    hideCursor: true,
    gracefulExit: false,
  });
  const mib = (value: number) => (value / 1024 ** 2).toFixed(0);
  let done = 0;
  bar.start(bytes, 0, { mib: '0', totalMib: mib(bytes) });
  return {
    advance(more) {
      done += more;
      bar.update(done, { mib: mib(done) });
    },
    say(line) {
      stream.write(`\r\u001b[Ktether: ${line}\n\u001b7`);
      bar.render();
    },
    stop: () => bar.stop(),
  };
}

/** Names of files are anybody's: nothing in them may steer a terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\uFFFD');
}

export { type ImportFlags, type ImportReport, runImport };
