import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { testObjectStore } from '../contract.js';
import { openObjectStore } from '../open.js';

function directoryOf(t: Test): string {
  const root = mkdtempSync(join(tmpdir(), 'tether-objects-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  return join(root, 'objects');
}

const open = async (t: Test, directory = directoryOf(t)) => {
  const store = openObjectStore({ driver: 'folder', directory });
  await store.prepare();
  return store;
};

testObjectStore(t, (t) => open(t));
