/**
 * `tether top` on a terminal, from the first frame to the last: whatever ends it (a key, a signal, a crash) gives the terminal back as it was.
 */
import { constants } from 'node:os';
import { render } from 'ink';
import type { History, Status } from '../../gateway/api/status-schema.js';
import type { NodeAddress, NodeClient } from '../commands/node-client.js';
import { EXIT } from '../exit-codes.js';
import { act } from './act.js';
import { App, type Shown } from './app.js';
import { followStatus } from './feed.js';
import { createFrameStream } from './frame.js';
import { type Effect, onKey } from './keys.js';
import { Screen, type Terminal } from './screen.js';
import { firstState, type TopState, withLoss, withStatus } from './state.js';
import type { Theme } from './theme.js';

interface InteractiveOptions {
  readonly address: NodeAddress;
  readonly node: NodeClient;
  readonly first: Status;
  readonly history: History | undefined;
  readonly theme: Theme;
}

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** For a terminal that does not tell. */
const COLUMNS = 80;
const ROWS = 24;
/** So long after a stop that did not stop: a group of processes that nobody would let go on is not stopped by the system. */
const STOP_MS_MAX = 200;

/** The exit code. */
async function interactive({ address, node, first, history, theme }: InteractiveOptions): Promise<number> {
  const { stdin, stdout } = process;
  const size = () => ({ columns: stdout.columns || COLUMNS, rows: stdout.rows || ROWS });
  const terminal: Terminal = {
    get columns() {
      return size().columns;
    },
    get rows() {
      return size().rows;
    },
    write: (text) => stdout.write(text),
  };
  const screen = new Screen(terminal);
  const stop = new AbortController();
  let shown: Shown = { state: firstState(address.url, first, history), ...size() };
  const listeners = new Set<() => void>();
  const show = (change: Partial<Shown>) => {
    shown = { ...shown, ...change };
    for (const listener of listeners) listener();
  };
  const update = (next: (state: TopState) => TopState) => show({ state: next(shown.state) });
  let exitCode: number = EXIT.ok;
  const end = (code: number) => {
    exitCode = code;
    stop.abort();
  };
  const perform = async (effect: Effect) => {
    if (effect.kind === 'quit') return end(EXIT.ok);
    if (effect.kind === 'suspend') return void process.kill(process.pid, 'SIGTSTP');
    const message = await act(node, effect);
    update((state) => ({ ...state, message }));
  };

  const onEnding = (signal: NodeJS.Signals) => end(128 + constants.signals[signal]);
  const onResize = () => {
    frames.resize(size().columns, size().rows);
    show(size());
    screen.redraw();
  };
  const onContinue = () => {
    if (screen.mode !== 'suspended') return;
    process.on('SIGTSTP', onStop);
    stdin.setRawMode(true);
    screen.open();
    onResize();
  };
  const onStop = () => {
    if (screen.mode !== 'open') return;
    screen.suspend();
    stdin.setRawMode(false);
    // Without a listener the signal does what it does to every program.
    process.off('SIGTSTP', onStop);
    process.kill(process.pid, 'SIGTSTP');
    setTimeout(onContinue, STOP_MS_MAX);
  };
  const onExit = () => screen.close();

  const frames = createFrameStream({ ...size(), glyphs: theme.glyphs }, (frame) => screen.draw(frame));
  for (const signal of ENDING) process.on(signal, onEnding);
  process.on('SIGTSTP', onStop).on('SIGCONT', onContinue);
  // Before the stack of a crash is printed, so that it is not printed onto the screen that goes away.
  process.on('exit', onExit).on('uncaughtExceptionMonitor', onExit);
  stdout.on('resize', onResize);
  screen.open();
  const store = {
    subscribe(listener: () => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    get: () => shown,
  };
  const app = render(
    <App
      store={store}
      theme={theme}
      onKey={(key) => {
        const { state, effect } = onKey(shown.state, key);
        show({ state });
        if (effect !== undefined) perform(effect);
      }}
    />,
    { stdout: frames.stream, stdin, debug: true, patchConsole: false, exitOnCtrlC: false },
  );
  const failed = app.waitUntilExit();
  // A fault of the view ends all, and is told when the screen is closed.
  failed.catch(() => stop.abort());
  try {
    await followStatus({
      ...address,
      signal: stop.signal,
      onStatus: (status) => update((state) => withStatus(state, status)),
      onLost: (reason) => update((state) => withLoss(state, reason, Date.now())),
    });
  } finally {
    screen.close();
    app.unmount();
    for (const signal of ENDING) process.off(signal, onEnding);
    process.off('SIGTSTP', onStop).off('SIGCONT', onContinue);
    process.off('exit', onExit).off('uncaughtExceptionMonitor', onExit);
    stdout.off('resize', onResize);
  }
  await failed;
  return exitCode;
}

export { interactive };
