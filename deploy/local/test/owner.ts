/** For a test: a process that has started a program, says its process id, and waits to be killed. Its argument is a directory. */
import { join } from 'node:path';
import { Supervised } from '../supervised.js';

const directory = process.argv[2] ?? '';
const program = new Supervised({
  name: 'program',
  command: ['/bin/sleep', '600'],
  env: process.env,
  address: '',
  logFile: join(directory, 'log'),
  pidFile: join(directory, 'pid'),
  stopSignal: 'SIGTERM',
  stopMsMax: 1_000,
  isUp: async () => true,
  tell: () => undefined,
});
await program.start();
process.send?.(program.pid);
// An open channel keeps it alive.
process.on('message', () => undefined);
