import t from 'tap';
import { LossWindow } from './loss-window.js';

t.test('so many losses within so long make it unstable, and as long without one stable again', async (t) => {
  const window = new LossWindow({ lossesMax: 3, withinMs: 100 });
  t.equal(window.lost(0), false);
  t.equal(window.lost(60), false);
  t.equal(window.lost(120), false, 'the first is too long ago');
  t.equal(window.unstable(120), false);
  t.equal(window.lost(130), true);
  t.equal(window.unstable(130), true);
  t.equal(window.lost(220), false, 'it is unstable already');
  t.equal(window.unstable(319), true, 'one loss within that time is enough to keep it so');
  t.equal(window.unstable(320), false);
  t.equal(window.lost(321), false, 'it begins anew');
  t.equal(window.unstable(321), false);
});
