/** What `tether top` does: the screen on a terminal, else one snapshot as text or JSON. */
import { stripVTControlCharacters } from 'node:util';
import { historySchema, statusSchema } from '../../gateway/api/status-schema.js';
import { UsageError } from '../errors.js';
import { EXIT } from '../exit-codes.js';
import type { Environment } from '../settings.js';
import { renderFrame } from '../top/frame.js';
import { interactive } from '../top/interactive.js';
import { rowsOfAll } from '../top/layout.js';
import { firstState } from '../top/state.js';
import { themeOf } from '../top/theme.js';
import { View } from '../top/view.js';
import { createNodeClient, type NodeFlags, nodeAddress } from './node-client.js';
import { columnsOf } from './table.js';

interface TopFlags extends NodeFlags {
  readonly once?: true;
}

/** Of a snapshot that goes into a file or a pipe. */
const COLUMNS = 110;

/** The exit code. */
async function top(flags: TopFlags, env: Environment): Promise<number> {
  const isOnce = flags.once === true || flags.json === true;
  if (!isOnce && !(process.stdin.isTTY && process.stdout.isTTY)) {
    throw new UsageError('top needs a terminal; --once prints one snapshot, --json the status');
  }
  const address = await nodeAddress(flags, env);
  const node = createNodeClient(address.url, address.token);
  // Before the screen opens: what is wrong with the url or the token is told in one line.
  const first = await node.call('GET', '/api/status', statusSchema);
  if (flags.json === true) {
    process.stdout.write(`${JSON.stringify(first)}\n`);
    return EXIT.ok;
  }
  // Without it the curves begin empty, and that is all.
  const history = await node.call('GET', '/api/history', historySchema).catch(() => undefined);
  const theme = themeOf(env);
  if (!isOnce) return interactive({ address, node, first, history, theme });
  const columns = columnsOf(process.stdout) ?? COLUMNS;
  const rows = rowsOfAll(first);
  const state = firstState(address.url, first, history);
  const view = <View state={state} theme={theme} columns={columns} rows={rows} />;
  const frame = renderFrame(view, { columns, rows, glyphs: theme.glyphs });
  // The last line names keys, which there are none of here.
  const lines = stripVTControlCharacters(frame).split('\n').slice(0, -1);
  process.stdout.write(
    `${lines
      .map((line) => line.trimEnd())
      .join('\n')
      .trimEnd()}\n`,
  );
  return EXIT.ok;
}

export { type TopFlags, top };
