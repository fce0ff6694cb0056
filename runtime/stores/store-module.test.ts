import t from 'tap';
import { loadSnapshotStore } from './store-module.js';

const moduleOf = (source: string) => `data:text/javascript,${encodeURIComponent(source)}`;
const STORE = '{ async load() {}, async save() {}, async delete() {}, async close() {} }';

t.test('the default export is called with the settings', async (t) => {
  const module = moduleOf(`export default (settings) => ({ ...${STORE}, settings });`);
  t.match(await loadSnapshotStore({ module, settings: { a: 1 } }), { settings: { a: 1 } });
  const later = moduleOf(`export default async () => (${STORE});`);
  t.type((await loadSnapshotStore({ module: later, settings: undefined })).load, 'function');
});

t.test('a module that is at fault is named, with the reason', async (t) => {
  for (const [source, reason] of [
    ['syntax error', /does not load/],
    ["throw new Error('at once')", /does not load: at once/],
    ['export const store = 1', /no function as its default export/],
    ['export default {}', /no function as its default export/],
    ["export default () => { throw new Error('no settings') }", /: no settings/],
    ['export default () => undefined', /no method load/],
    ['export default () => ({ load() {}, save() {}, delete() {} })', /no method close/],
  ] as const) {
    const module = moduleOf(source);
    const error = await loadSnapshotStore({ module, settings: undefined }).catch((thrown: Error) => thrown);
    t.match(error, { code: 'TETHER_STORE_MODULE', message: reason }, source);
    t.ok(error instanceof Error && error.message.startsWith(module), source);
  }
});

t.test('an outage of the store is not the fault of the module', async (t) => {
  const source = `export default async () => {
    throw Object.assign(new Error('away'), { code: 'TETHER_AWAY', retryable: true, outage: true });
  };`;
  await t.rejects(loadSnapshotStore({ module: moduleOf(source), settings: undefined }), {
    code: 'TETHER_AWAY',
  });
});
