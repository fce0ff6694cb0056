/** The version of this release. */
import { readFileSync } from 'node:fs';

function version(): string {
  // From dist/deploy/, where the compiled file runs.
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const parsed: unknown = JSON.parse(text);
  const found: unknown =
    typeof parsed === 'object' && parsed !== null ? Reflect.get(parsed, 'version') : undefined;
  if (typeof found !== 'string') throw new TypeError('package.json has no version');
  return found;
}

export { version };
