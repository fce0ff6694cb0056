import t from 'tap';
import { undecodableId, undecodablePartition } from './undecodable.js';

t.test(
  'every place, actor type and message has an id of its own, which leads back to its partition',
  async (t) => {
    const ids = new Set<string>();
    for (const partition of [0, 3, 131, 4_095, 16_383]) {
      for (const offset of [0, 1, 255, 2 ** 40]) {
        for (const actor of ['payment', 'upload']) {
          for (const raw of ['', 'one', 'two']) {
            const id = undecodableId({ actor, partition, offset }, Buffer.from(raw));
            t.match(id, /^[0-9a-f]{8}-0000-8000-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
            t.equal(undecodablePartition(id), partition);
            ids.add(id);
          }
        }
      }
    }
    t.equal(ids.size, 20 * 2 * 3);
    t.equal(undecodablePartition('01890a5d-ac96-774b-bcce-b302099a8057'), undefined);
  },
);
