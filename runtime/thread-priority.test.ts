import { once } from 'node:events';
import { getPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import t from 'tap';

t.test(
  'a thread stands back, and its process does not',
  { skip: process.platform !== 'linux' && 'Linux only' },
  async (t) => {
    const before = getPriority();
    const module = new URL('./thread-priority.js', import.meta.url).href;
    const worker = new Worker(
      `import('${module}').then(({ standBack }) => {
       standBack();
       const thread = require('node:fs').readlinkSync('/proc/thread-self').split('/').at(-1);
       require('node:worker_threads').parentPort.postMessage(Number(thread));
       require('node:worker_threads').parentPort.once('message', () => {});
     });`,
      { eval: true },
    );
    const [thread] = await once(worker, 'message');
    t.equal(getPriority(thread), before + 10);
    t.equal(getPriority(), before);
    await worker.terminate();
  },
);
