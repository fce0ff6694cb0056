import t from 'tap';
import { fileSystemOf } from './environment.js';
import { coresFor, createPinning } from './pinning.js';

t.test('the file system is that of the nearest mount', async (t) => {
  const mounts = [
    '/dev/a / ext4 rw 0 0',
    'tmpfs /tmp tmpfs rw 0 0',
    '/dev/b /tmp/data xfs rw 0 0',
    '/dev/c /tmp/dat btrfs rw 0 0',
    '',
  ].join('\n');
  t.equal(fileSystemOf('/srv/x', mounts), 'ext4');
  t.equal(fileSystemOf('/tmp', mounts), 'tmpfs');
  t.equal(fileSystemOf('/tmp/data/x', mounts), 'xfs');
  t.equal(fileSystemOf('/tmp/database', mounts), 'tmpfs');
  t.equal(
    fileSystemOf('/tmp/x', 'tmpfs /tmp tmpfs rw 0 0\n/dev/a / ext4 rw 0 0\n'),
    'tmpfs',
    'whatever the order',
  );
  t.equal(
    fileSystemOf('/', 'tmpfs / tmpfs rw 0 0\n/dev/a / ext4 rw 0 0\n'),
    'ext4',
    'the later mount hides the earlier',
  );
});

t.test('the load gets a core of its own where there are four', async (t) => {
  t.equal(coresFor(2), undefined);
  t.strictSame(coresFor(8), { load: '7', subject: '0-6' });
  t.strictSame(createPinning(2).load('wrk', ['-t1']), { file: 'wrk', args: ['-t1'] });
  t.strictSame(createPinning(4).load('wrk', ['-t1']), { file: 'taskset', args: ['-c', '3', 'wrk', '-t1'] });
});
