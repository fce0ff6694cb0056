import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { areaOf, readProfiles } from './profile.js';

t.test('a frame is of one area', async (t) => {
  const of = (url: string, functionName = 'f') => areaOf({ functionName, url });
  t.equal(
    of('file:///x/dist/gateway/providers/emp/scan.js'),
    'gateway: recognise (form, signature, keys, echo)',
  );
  t.equal(of('file:///x/dist/gateway/routes.js'), 'gateway: request and answer');
  t.equal(of('file:///x/dist/runtime/envelope.js'), 'envelope, id, partition');
  t.equal(of('file:///x/dist/runtime/dispatch/dispatcher.js'), 'dispatch, threads, mailboxes');
  t.equal(of('file:///x/node_modules/@scope/name/dist/a.js'), 'package @scope/name');
  t.equal(of('node:buffer'), 'Node: its own JavaScript');
  t.match(of('', 'end'), 'called by functions');
  t.match(of('', '(program)'), 'no function called');
  t.equal(of('', '(garbage collector)'), 'garbage collection');
});

t.test('shares are of the busy time, and workers count together', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'tether-profile-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const frame = (id: number, functionName: string, url: string) => ({ id, callFrame: { functionName, url } });
  const profile = (samples: readonly number[]) =>
    JSON.stringify({
      startTime: 0,
      nodes: [
        frame(1, '(idle)', ''),
        frame(2, 'scan', 'file:///x/dist/gateway/providers/emp/scan.js'),
        frame(3, 'open', 'node:fs'),
      ],
      samples,
      timeDeltas: samples.map(() => 250),
    });
  writeFileSync(join(directory, 'CPU.20261126.100000.7.0.001.cpuprofile'), profile([1, 1, 2, 2, 2, 3]));
  writeFileSync(join(directory, 'CPU.20261126.100000.7.1.002.cpuprofile'), profile([3]));
  writeFileSync(join(directory, 'CPU.20261126.100000.7.2.003.cpuprofile'), profile([2, 1]));
  const [main, workers] = readProfiles(directory);
  t.match(main, {
    thread: 'main thread',
    busySeconds: 0.001,
    functions: [
      { name: 'scan, gateway/providers/emp/scan.js', percent: 75 },
      { name: 'open, node:fs', percent: 25 },
    ],
  });
  t.match(workers, {
    thread: 'worker threads',
    busySeconds: 0.0005,
    areas: [{ percent: 50 }, { percent: 50 }],
  });
  const [late] = readProfiles(directory, 1_250);
  t.match(late, { busySeconds: 0.0005 }, 'what was before is left out');
});
