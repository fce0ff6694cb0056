/** The answer by which EMP knows that a notification arrived; without it the notification comes again. */

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<notification_echo>\n  ';
const TAIL = '\n</notification_echo>\n';

const SPECIAL = /[<>&'"]/g;
const ESCAPES: Readonly<Record<string, string>> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  "'": '&apos;',
  '"': '&quot;',
};

/** `element`: a name of an XML element. `id`: escaped already, if it needs to be. */
export function echo(element: string, id: string): string {
  return `${HEAD}<${element}>${id}</${element}>${TAIL}`;
}

/** `text` as the content of an XML element; it holds no control characters. */
export function escapeXml(text: string): string {
  return text.replace(SPECIAL, (character) => ESCAPES[character] ?? '');
}
