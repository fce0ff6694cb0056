/** Checks of the data directory: whose it is, and whether its disk keeps what it is told to keep, in time and in room. */
import { access, constants, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { apiTokenFile, journalDir } from '../data-dir.js';
import { formatBytes } from '../quantities.js';
import { type Check, type CheckContext, type Finding, failed, ok, skipped, warning } from './check.js';
import { fileSystemOf } from './file-systems.js';
import { isOwn, modeText, statOf } from './owner.js';
import { measureSync, type SyncTimes } from './sync-time.js';

/** Below it, a journal that is to be larger tomorrow finds none. */
const SPARE_SHARE = 0.1;
const SLOW_MEDIAN_MS = 5;
const SLOW_P99_MS = 50;
/** No disk, nor what is before one, answers so fast. */
const TOO_FAST_MS = 0.02;

/** `work` where this node keeps files; `there` is the nearest directory that is made already. */
async function onDisk(
  { settings, mode }: Pick<CheckContext, 'settings' | 'mode'>,
  work: (dataDir: string, there: string) => Promise<Finding>,
): Promise<Finding> {
  const { redisUrl, databaseUrl, uploads, dataDir } = settings;
  const keepsDatabase = databaseUrl === undefined && mode === 'up';
  if (redisUrl !== undefined && !keepsDatabase && uploads.s3Url !== undefined) {
    return skipped('this node keeps nothing on its disk');
  }
  return work(dataDir, await nearest(dataDir));
}

async function nearest(path: string): Promise<string> {
  const found = await statOf(path);
  return found !== undefined || dirname(path) === path ? path : nearest(dirname(path));
}

const directory: Check = {
  id: 'data-dir',
  title: 'The data directory is its owner’s alone, and can be written',
  run: (context) =>
    onDisk(context, async (dataDir, there) => {
      const found = await stat(there);
      if (!found.isDirectory()) return failed(`${there} is no directory`, 'mend TETHER_DATA_DIR');
      try {
        await access(there, constants.W_OK | constants.X_OK);
      } catch {
        return failed(
          `this user may not write to ${there} (${modeText(found)}, user ${found.uid})`,
          there === dataDir
            ? `chown ${process.getuid?.()} ${there}`
            : `make ${dataDir}, and give it to this user`,
        );
      }
      if (there !== dataDir) return ok(`${dataDir} is not there yet; a start makes it, as 0700`);
      const wrong: string[] = [];
      const mends: string[] = [];
      if (!isOwn(found)) {
        wrong.push(`${dataDir} belongs to user ${found.uid}`);
        mends.push(`chown -R ${process.getuid?.()} ${dataDir}`);
      }
      if ((found.mode & 0o077) !== 0) {
        wrong.push(`${dataDir} is ${modeText(found)}: others may look into it`);
        mends.push(`chmod 700 ${dataDir}`);
      }
      const token = await statOf(apiTokenFile(dataDir));
      if (token !== undefined && (token.mode & 0o077) !== 0) {
        wrong.push(`${apiTokenFile(dataDir)} is ${modeText(token)}: others may read the token`);
        mends.push(`chmod 600 ${apiTokenFile(dataDir)}`);
      }
      if (wrong.length === 0) return ok(`${dataDir} is ${modeText(found)}, and yours`);
      const open = (found.mode & 0o022) !== 0 || (token !== undefined && (token.mode & 0o077) !== 0);
      return open ? failed(wrong.join('\n'), mends.join('\n')) : warning(wrong.join('\n'), mends.join('\n'));
    }),
};

const kind: Check = {
  id: 'file-system',
  title: 'The file system honours a sync',
  run: (context) =>
    onDisk(context, async (_, there) => {
      const { name, worth, mountPoint, unsafe } = await fileSystemOf(there);
      const found = `${there} is on ${name}, mounted at ${mountPoint}`;
      const advice = 'put TETHER_DATA_DIR on a local disk, or in a container on a volume of one';
      if (unsafe.length > 0) {
        return warning(
          `${found} with ${unsafe.join(', ')}: a sync may come back before the disk has it`,
          'mount it without these options',
        );
      }
      switch (worth) {
        case 'disk':
          return ok(found);
        case 'memory':
          return warning(`${found}: in memory, and gone with the machine`, advice);
        case 'layer':
          return warning(`${found}: a layer of the container, and gone with it`, advice);
        case 'network':
          return warning(
            `${found}: over a network, whose cut stops the journal; its lock may not hold`,
            advice,
          );
        default:
          return warning(`${found}, of which is not known here what a sync is worth`, advice);
      }
    }),
};

const space: Check = {
  id: 'disk-space',
  title: 'There is room for the journal at its largest',
  run: (context) =>
    onDisk(context, async (dataDir, there) => {
      const { freeBytes } = await fileSystemOf(there);
      const { logDriver, journal } = context.settings;
      const free = `${gibibytes(freeBytes)} are free`;
      if (logDriver !== 'journal') {
        return freeBytes < 1024 ** 3
          ? warning(free, 'make room: uploaded files are kept here')
          : ok(`${free}; the log is in Redis`);
      }
      const used = await sizeOf(journalDir(dataDir));
      const wanted = Math.max(0, journal.bytesMax - used);
      const found = `${free}; the journal has ${gibibytes(used)} of ${formatBytes(journal.bytesMax)}`;
      const advice = 'make room, or lower TETHER_JOURNAL_BYTES_MAX: a full disk is worse than a full journal';
      if (freeBytes < wanted)
        return failed(`${found}, and may come to want ${gibibytes(wanted)} more`, advice);
      if (freeBytes < wanted * (1 + SPARE_SHARE)) return warning(`${found}; that is all there is`, advice);
      return ok(found);
    }),
};

const sync: Check = {
  id: 'disk-sync',
  title: 'The disk takes small writes in time',
  run: (context) =>
    onDisk(context, async (_, there) => {
      const { logDriver, durability } = context.settings;
      if (logDriver !== 'journal') return skipped('the log is in Redis: nothing waits for this disk');
      try {
        return judgeSync(await measureSync(there, context), durability === 'commit');
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        return failed(`a file cannot be written and synced: ${reason}`, 'mend the disk, or see data-dir');
      }
    }),
};

/** What the times mean for senders. */
function judgeSync({ count, medianMs, p99Ms }: SyncTimes, isWaitedFor: boolean): Finding {
  const found = `${count} writes of 4 KiB, each synced: median ${medianMs.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms`;
  if (!isWaitedFor) return ok(`${found}; with TETHER_DURABILITY=memory nothing waits for it`);
  if (medianMs < TOO_FAST_MS) {
    return warning(
      `${found}: faster than any disk; a sync may be a promise that is not kept`,
      'see file-system; is the disk of this machine one in memory, or its host set to ignore syncs?',
    );
  }
  const advice = 'a disk of its own, an SSD with power-loss protection, or a faster volume';
  if (medianMs > SLOW_MEDIAN_MS) {
    return warning(`${found}: each acknowledgement waits for one of them, at least`, advice);
  }
  if (p99Ms > SLOW_P99_MS) {
    return warning(
      `${found}: one acknowledgement of a hundred waits that long`,
      `${advice}; who else writes to it?`,
    );
  }
  return ok(found);
}

async function sizeOf(path: string): Promise<number> {
  const names = await readdir(path).catch(() => []);
  const sizes = await Promise.all(names.map((name) => statOf(join(path, name))));
  // Blocks: segments are made before they are filled.
  return sizes.reduce((sum, stats) => sum + (stats?.blocks ?? 0) * 512, 0);
}

function gibibytes(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}

const diskChecks: readonly Check[] = [directory, kind, space, sync];

export { diskChecks, judgeSync };
