/**
 * HTML and SVG as text, in which whatever is filled in is escaped, unless it is markup itself.
 *
 *     markup`<td class="${name}">${text}</td>`
 */

class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Filling = string | number | Markup | undefined | readonly Filling[];

/**
 * A string is escaped, a number rounded to hundredths (a coordinate needs no more), undefined is nothing, a list all of its parts.
 * @throws RangeError of a number that is not finite: it would be drawn somewhere or break the plot, and neither is wanted
 */
function markup(parts: TemplateStringsArray, ...fillings: readonly Filling[]): Markup {
  return new Markup(parts.map((part, at) => (at === 0 ? part : fill(fillings[at - 1]) + part)).join(''));
}

function fill(filling: Filling): string {
  if (filling === undefined) return '';
  if (filling instanceof Markup) return filling.text;
  if (typeof filling === 'string') return escaped(filling);
  if (typeof filling !== 'number') return filling.map(fill).join('');
  if (!Number.isFinite(filling)) throw new RangeError(`${filling} cannot be drawn`);
  return String(Math.round(filling * 100) / 100);
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** For text and for attributes in quotes; characters that HTML forbids become U+FFFD. */
function escaped(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
      .replace(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/g, '\ufffd')
      .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
  );
}

export { type Filling, Markup, markup };
