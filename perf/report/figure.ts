/** What all plots share: a frame with title and description for those who hear it, in a layout for paper and wide screens and one for phones. */
import type { Role } from '../harness/results.js';
import { textWidth } from './labels.js';
import { type Filling, type Markup, markup } from './markup.js';

export interface Layout {
  readonly name: 'wide' | 'narrow';
  /** Of the drawing; on paper and on most screens a unit is a CSS pixel. */
  readonly width: number;
}

export const LAYOUTS: readonly Layout[] = [
  { name: 'wide', width: 700 },
  { name: 'narrow', width: 358 },
];

export const TEXT_SIZE = 12.5;
export const SMALL_SIZE = 11;

/** A little more than the widths say: the fonts of some machines are wider. */
const FONT_MARGIN = 1.04;

/** Names of Tether are bold. */
const BOLD_MARGIN = 1.14;

export function textMeasure(size: number): (text: string, role?: Role) => number {
  return (text, role) => textWidth(text, size) * FONT_MARGIN * (role === 'tether' ? BOLD_MARGIN : 1);
}

export interface Drawing {
  readonly height: number;
  readonly body: Filling;
}

export interface Figure {
  /** Of the document; ids begin with it. */
  readonly id: string;
  readonly title: string;
  /** All that the plot says, in words. */
  readonly description: string;
  /** Of one that has hatched parts. */
  readonly isHatched?: boolean;
}

/** The same plot in both layouts, of which the style sheet shows one. */
export function drawn(figure: Figure, draw: (layout: Layout, hatch: string) => Drawing): Markup {
  return markup`${LAYOUTS.map((layout) => {
    const id = `${figure.id}-${layout.name}`;
    const { height, body } = draw(layout, `url(#${id}-hatch)`);
    return frame(id, layout, height, figure, body);
  })}`;
}

function frame(id: string, layout: Layout, height: number, figure: Figure, body: Filling): Markup {
  const hatch = markup`<defs><pattern id="${id}-hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line class="hatch" x1="0" y1="0" x2="0" y2="5"/></pattern></defs>`;
  return markup`<svg class="${layout.name}" role="img" aria-labelledby="${id}-title ${id}-desc" viewBox="0 0 ${layout.width} ${height}" width="${layout.width}" height="${height}">
<title id="${id}-title">${figure.title}</title><desc id="${id}-desc">${figure.description}</desc>${figure.isHatched ? hatch : undefined}${body}</svg>
`;
}

/** How the roles are told from one another without colour, too: text of limits is slanted. */
export function roleClass(role: Role): string {
  return `of-${role}`;
}

/** Lines of one text, the middle of all of them at `y`. */
export function textLines(
  lines: readonly string[],
  {
    x,
    y,
    height,
    className,
  }: { readonly x: number; readonly y: number; readonly height: number; readonly className: string },
): Markup {
  const first = y - ((lines.length - 1) * height) / 2;
  return markup`${lines.map((line, at) => markup`<text class="${className}" x="${x}" y="${first + at * height}" dy="0.35em">${line}</text>`)}`;
}
