/** How text of a kind looks. Colour only adds: what it says stands in words or marks too, and with NO_COLOR there is none. */
import { ASCII, type Glyphs, UNICODE } from './format.js';

/** Properties of ink's Text. */
interface Style {
  readonly color?: string;
  readonly bold?: boolean;
  readonly dimColor?: boolean;
  readonly inverse?: boolean;
}

interface Theme {
  readonly plain: Style;
  readonly head: Style;
  readonly selected: Style;
  readonly label: Style;
  readonly good: Style;
  readonly warning: Style;
  readonly critical: Style;
  readonly glyphs: Glyphs;
}

type ThemeEnvironment = Readonly<Record<string, string | undefined>>;

function themeOf(env: ThemeEnvironment): Theme {
  // As no-color.org has it: any value but an empty one.
  const hasColor = (env.NO_COLOR ?? '') === '';
  const color = (name: string): Style => (hasColor ? { color: name } : {});
  return {
    plain: {},
    head: { bold: true, ...color('cyan') },
    selected: { inverse: true },
    label: color('cyan'),
    good: color('green'),
    warning: { bold: true, ...color('yellow') },
    critical: { bold: true, ...color('red') },
    glyphs: knowsUtf8(env) ? UNICODE : ASCII,
  };
}

/** As the C library decides it. */
function knowsUtf8(env: ThemeEnvironment): boolean {
  return /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '');
}

export { type Theme, themeOf };
