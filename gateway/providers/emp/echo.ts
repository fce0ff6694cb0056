/** The answer by which EMP knows that a notification arrived; without it the notification comes again. */

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<notification_echo>\n  ';
const TAIL = '\n</notification_echo>\n';

const NEEDS_ESCAPE = /[<>&'"]/;
const ESCAPES: Readonly<Record<string, string>> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  "'": '&apos;',
  '"': '&quot;',
};

/** `element`: a name of an XML element. `id` is escaped here; it holds no control characters. */
export function echo(element: string, id: string): string {
  const escaped = NEEDS_ESCAPE.test(id)
    ? id.replace(/[<>&'"]/g, (character) => ESCAPES[character] ?? '')
    : id;
  return `${HEAD}<${element}>${escaped}</${element}>${TAIL}`;
}
