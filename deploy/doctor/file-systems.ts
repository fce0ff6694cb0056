/** What kind of file system a path is on, and what its sync is worth. */
import { readFile, statfs } from 'node:fs/promises';
import { resolve, sep } from 'node:path';

type Worth =
  /** What is synced is on the disk. */
  | 'disk'
  /** Gone with the machine or the container. */
  | 'memory'
  /** Another machine's, over a network: locks, renames and syncs are what that one makes of them. */
  | 'network'
  /** A layer of a container: gone with it, and slow. */
  | 'layer'
  | 'unknown';

/** By the number that statfs(2) gives; from its manual page. */
const KINDS: ReadonlyMap<number, readonly [string, Worth]> = new Map([
  [0xef53, ['ext4', 'disk']],
  [0x58465342, ['xfs', 'disk']],
  [0x9123683e, ['btrfs', 'disk']],
  [0x2fc12fc1, ['zfs', 'disk']],
  [0xf2f52010, ['f2fs', 'disk']],
  [0xca451a4e, ['bcachefs', 'disk']],
  [0x01021994, ['tmpfs', 'memory']],
  [0x858458f6, ['ramfs', 'memory']],
  [0x6969, ['nfs', 'network']],
  [0xff534d42, ['cifs', 'network']],
  [0xfe534d42, ['smb2', 'network']],
  [0x517b, ['smb', 'network']],
  [0x00c36400, ['ceph', 'network']],
  [0x01021997, ['9p', 'network']],
  [0x65735546, ['fuse', 'unknown']],
  [0x794c7630, ['overlay', 'layer']],
]);

interface FileSystemKind {
  readonly name: string;
  readonly worth: Worth;
  readonly mountPoint: string;
  /** Options of the mount that take the worth of a sync away. */
  readonly unsafe: readonly string[];
  readonly freeBytes: number;
}

const UNSAFE = /^(?:nobarrier|barrier=0|barrier=none|sync=disabled|volatile|soft)$/;

/** @param path one that is there */
async function fileSystemOf(path: string): Promise<FileSystemKind> {
  const { type, bavail, bsize } = await statfs(path);
  const [name, worth] = KINDS.get(type) ?? [`of kind 0x${type.toString(16)}`, 'unknown' as const];
  const mounts = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  const mount = mountOf(mounts, path);
  return {
    name: worth === 'disk' && mount !== undefined ? mount.type : name,
    worth,
    mountPoint: mount?.point ?? '/',
    unsafe: mount?.options.filter((option) => UNSAFE.test(option)) ?? [],
    freeBytes: bavail * bsize,
  };
}

interface Mount {
  readonly point: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** The last of the longest mount points that hold `path`, as proc(5) describes the text. */
function mountOf(mountinfo: string, path: string): Mount | undefined {
  let best: Mount | undefined;
  for (const line of mountinfo.split('\n')) {
    const [own = '', rest = ''] = line.split(' - ');
    const [, , , , point = '', options = ''] = own.split(' ');
    const [type = '', , more = ''] = rest.split(' ');
    if (point === '' || type === '') continue;
    const plain = point.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    const whole = resolve(path);
    const holds = whole === plain || whole.startsWith(plain.endsWith(sep) ? plain : plain + sep);
    if (!holds || (best !== undefined && plain.length < best.point.length)) continue;
    best = { point: plain, type, options: [...options.split(','), ...more.split(',')] };
  }
  return best;
}

export { type FileSystemKind, fileSystemOf, mountOf };
