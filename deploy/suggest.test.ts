import t from 'tap';
import { didYouMean, nearest } from './suggest.js';

const keys = ['TETHER_PORT', 'TETHER_HOST', 'TETHER_DATABASE_URL', 'TETHER_THREADS'];

t.test('a slip of the finger finds its key', async (t) => {
  t.equal(nearest('TETHER_PROT', keys), 'TETHER_PORT');
  t.equal(nearest('TETHER_DATABSE_URL', keys), 'TETHER_DATABASE_URL');
  t.equal(nearest('tether_threads', keys), 'TETHER_THREADS');
  t.equal(nearest('TETHER_DB_URL', keys), undefined);
});

t.test('what is far from everything suggests nothing', async (t) => {
  t.equal(nearest('TETHER_KAFKA_BROKERS', keys), undefined);
  t.equal(didYouMean('nonsense', keys), '');
  t.equal(didYouMean('TETHER_HOTS', keys), ' (did you mean TETHER_HOST?)');
  t.equal(nearest('', keys), undefined);
  t.equal(nearest('x'.repeat(100_000), keys), undefined);
});
