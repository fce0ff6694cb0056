/** `tether top` in a real terminal: tmux types the keys and shows what stands on the screen. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import t, { type Test } from 'tap';
import { until } from '../../runtime/testing/until.js';
import { commandName, processTree } from '../test/process-tree.js';
import { spawnCli } from '../test/spawn-cli.js';
import { READER, serveNode, TOKEN } from './test/node-fixture.js';

const CLI = fileURLToPath(new URL('../cli.js', import.meta.url));

t.setTimeout(120_000);

// It must not pass for want of what it tests with.
if (spawnSync('tmux', ['-V']).error !== undefined) {
  throw new Error('tmux is missing: install it (Debian: tmux); this test drives a real terminal');
}

/** On a busy machine the program alone takes many seconds to begin. */
const SHOWN_MS_MAX = 30_000;

/** Loaded before the program: at a signal it throws what nobody catches. */
const FAULT = "process.on('SIGUSR2', () => { throw new Error('made-up fault'); });";

interface Session {
  screen(): string;
  type(...keys: readonly string[]): void;
  resize(columns: number, rows: number): void;
  shows(pattern: RegExp | string): Promise<void>;
  pid(): number;
}

/** A shell in a terminal of its own, with `tether top` typed into it. */
async function openTop(t: Test, url: string, token: string, nodeArgs = ''): Promise<Session> {
  const directory = mkdtempSync(join(tmpdir(), 'tether-tmux-'));
  const socket = join(directory, 'socket');
  const tmux = (...args: readonly string[]) =>
    execFileSync('tmux', ['-u', '-f', '/dev/null', '-S', socket, ...args], {
      encoding: 'utf8',
      env: {
        PATH: process.env.PATH,
        HOME: directory,
        LANG: 'C.UTF-8',
        TERM: 'xterm-256color',
        SHELL: '/bin/sh',
      },
    });
  tmux('new-session', '-d', '-s', 'top', '-x', '80', '-y', '24', '/bin/sh -i');
  t.teardown(() => {
    tmux('kill-server');
    rmSync(directory, { recursive: true, force: true });
  });
  const session: Session = {
    screen: () => tmux('capture-pane', '-p', '-t', 'top'),
    type: (...keys) => void tmux('send-keys', '-t', 'top', ...keys),
    resize: (columns, rows) =>
      void tmux('resize-window', '-t', 'top', '-x', String(columns), '-y', String(rows)),
    async shows(pattern) {
      const holds = () =>
        typeof pattern === 'string' ? session.screen().includes(pattern) : pattern.test(session.screen());
      await until(`the screen shows ${pattern}`, holds, SHOWN_MS_MAX).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${session.screen()}`);
      });
    },
    pid() {
      const shell = Number(tmux('display-message', '-p', '-t', 'top', '#{pane_pid}'));
      const pid = processTree(shell).find((each) => each !== shell && commandName(each).startsWith('node'));
      if (pid === undefined) throw new Error('top does not run');
      return pid;
    },
  };
  session.type('PS1="ready> "', 'Enter', 'clear; echo before; export TETHER_API_TOKEN=', token, 'Enter');
  await session.shows(/^before/);
  session.type(`${process.execPath} ${nodeArgs} ${CLI} top --url ${url}; echo "code $?"`, 'Enter');
  await session.shows('role all');
  return session;
}

t.test('it shows the node, follows it, changes a pool, and leaves the terminal as it was', async (t) => {
  const node = await serveNode(t);
  const top = await openTop(t, node.url, TOKEN);
  await top.shows(/>.payment/);
  t.match(top.screen(), /^tether 0\.1\.0 {2}node-1/);

  node.status = { ...node.status, rates: { ...node.status.rates, acknowledged: 777 } };
  await top.shows('ack/s 777');

  top.type('j');
  await top.shows(/>.upload/);
  top.type('k');
  await top.shows(/>.payment/);
  top.type('Down');
  await top.shows(/>.upload/);
  top.type('Up');
  await top.shows(/>.payment/);

  top.type('+');
  await top.shows('payment: at most 5 threads now');
  await top.shows('2/1-5*');
  top.type('p');
  await top.shows('Pause payment on every node?');
  top.type('n');
  await top.shows('payment is left as it is');
  top.type('p', 'y');
  await top.shows(/>!payment +paused/);
  top.type('p', 'y');
  await top.shows(/> payment +running/);
  top.type('d', 'y');
  await top.shows(/>!payment +drained/);
  t.strictSame(node.changes, [
    'PUT /api/pools/payment {"max":5}',
    'POST /api/pools/payment/pause ',
    'POST /api/pools/payment/resume ',
    'POST /api/pools/payment/drain {}',
  ]);

  top.type('Enter');
  await top.shows(/max +5 +4 \*/);
  top.type('?');
  await top.shows('select a pool');
  top.type('Escape');
  await top.shows('THREAD ');

  top.resize(100, 40);
  await top.shows(/\n(?:[^\n]*\n){38}q quit/);
  top.resize(60, 20);
  await top.shows(/^(?:[^\n]*\n){19}q quit/);

  top.type('q');
  await top.shows(/^before\n[\s\S]*code 0/);
  t.notMatch(top.screen(), 'role all');
});

t.test('a lost node is told of, and followed again', async (t) => {
  const node = await serveNode(t);
  const top = await openTop(t, node.url, TOKEN);
  await until('it follows the node', () => node.streams() === 1);
  node.cut(503);
  await top.shows(/connection lost since .* trying again: 503 Not now/);
  node.cut();
  node.status = { ...node.status, rates: { ...node.status.rates, acknowledged: 888 } };
  await top.shows(/serving[\s\S]*ack\/s 888/);
  t.equal(node.streams(), 2);
  top.type('q');
  await top.shows('code 0');
});

t.test('a token that may only read says so', async (t) => {
  const node = await serveNode(t);
  const top = await openTop(t, node.url, READER);
  top.type('-');
  await top.shows('FAILED this token may only read');
  t.strictSame(node.changes, []);
  top.type('C-c');
  await top.shows(/^before\n[\s\S]*code 0/);
});

t.test('signals: an end restores the screen, a stop too, and fg draws it anew', async (t) => {
  const node = await serveNode(t);
  const top = await openTop(t, node.url, TOKEN);
  top.type('C-z');
  await top.shows(/^before\n[\s\S]*[Ss]topped/);
  top.type('fg', 'Enter');
  await top.shows(/^tether [\s\S]*>.payment/);
  process.kill(top.pid(), 'SIGTSTP');
  await top.shows(/^before\n[\s\S]*[Ss]topped/);
  top.type('fg', 'Enter');
  await top.shows(/^tether [\s\S]*>.payment/);
  top.type('s');
  await top.shows('pools sorted by lag');
  process.kill(top.pid(), 'SIGTERM');
  await top.shows(/^before\n[\s\S]*ready>\s*$/);
  top.type('echo "ended with $?"', 'Enter');
  await top.shows('ended with 143');
  // The cursor is back, and what is typed is shown.
  top.type('echo typed');
  await top.shows(/ready> echo typed/);
});

t.test('a crash gives the terminal back before it is told', async (t) => {
  const node = await serveNode(t);
  const fault = join(t.testdir({ 'fault.mjs': FAULT }), 'fault.mjs');
  const top = await openTop(t, node.url, TOKEN, `--import ${fault}`);
  process.kill(top.pid(), 'SIGUSR2');
  await top.shows(/^before\n[\s\S]*made-up fault[\s\S]*code [1-9]/);
  t.notMatch(top.screen(), 'role all');
  // Lines are read again as a whole, shown as they are typed, and wrapped.
  top.type(`echo ${'w'.repeat(90)}`, 'Enter');
  await top.shows(/ready> echo w+\nw+\nw{80}\nw{10}\n/);
});

t.test('without a terminal: one snapshot, JSON, or what is wrong', async (t) => {
  const node = await serveNode(t);
  const env = { TETHER_URL: node.url, TETHER_API_TOKEN: TOKEN };
  const once = await spawnCli(['top', '--once'], env);
  t.match(once, {
    code: 0,
    stderr: '',
    stdout: /^tether 0\.1\.0 {2}node-1[\s\S]*upload[\s\S]*postgres/,
  });
  t.notMatch(once.stdout, 'q quit');
  t.equal(once.stdout, stripVTControlCharacters(once.stdout));
  const json = await spawnCli(['top', '--json'], env);
  t.strictSame(JSON.parse(json.stdout), node.status);
  t.match(await spawnCli(['top'], env), { code: 64, stderr: /top needs a terminal; --once prints/ });
  t.match(await spawnCli(['top', '--once'], { ...env, TETHER_API_TOKEN: 'another-token-123' }), {
    code: 1,
    stderr: /GET \/api\/status: 401 No token/,
  });
});
