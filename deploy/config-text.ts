/** `.env.example` and the table of the configuration reference, written from the declarations of the keys. */
import { CONFIG_KEY_NAMES, CONFIG_KEYS } from './config-keys.js';
import { fileKeyOf } from './secret-files.js';

const WIDTH = 100;

/** The whole text of `.env.example`. */
function envExample(): string {
  const head = [
    '# Every key of Tether with its default. A key that is not set, or empty, has its default (an empty list stays',
    '# an empty list). A key that does not exist, or a value that is not allowed, stops the start with a message.',
    '# Written from deploy/config-keys.ts by `node dist/deploy/write-config-text.js`.',
    '# Node reads such a file: node --env-file=.env dist/deploy/cli.js start',
  ];
  const keys = CONFIG_KEY_NAMES.map((key) => {
    const { meaning, allowed, unit, default: fallback, secret } = CONFIG_KEYS[key];
    const lines = wrap(`${capital(meaning)}.`, WIDTH);
    lines.push(...wrap(`Allowed: ${allowed}.${unit === '' ? '' : ` Unit: ${unit}.`}`, WIDTH));
    if (fallback === undefined) lines.push('Default: not set.');
    if (secret) lines.push(`Secret; ${fileKeyOf(key)} names a file that holds it.`);
    return [...lines.map((line) => `# ${line}`), `#${key}=${fallback ?? ''}`].join('\n');
  });
  return `${[head.join('\n'), ...keys].join('\n\n')}\n`;
}

/** The rows of the keys as a Markdown table. */
function configTable(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const rows = CONFIG_KEY_NAMES.map((key) => {
    const { meaning, allowed, unit, default: fallback, secret } = CONFIG_KEYS[key];
    const shown = fallback === undefined ? 'not set' : fallback === '' ? 'empty' : `\`${fallback}\``;
    const what = `${capital(meaning)}${secret ? ' (secret)' : ''}`;
    return `| \`${key}\` | ${shown} | ${unit} | ${cell(allowed)} | ${cell(what)} |`;
  });
  return [
    '| key | default | unit | allowed | meaning |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

const capital = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1);

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

export { configTable, envExample };
