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

/** What stands before and after the id (escaped, if it needs to be) in an answer. `element`: its name in XML. */
export function echoAround(element: string): { readonly echoHead: string; readonly echoTail: string } {
  return { echoHead: `${HEAD}<${element}>`, echoTail: `</${element}>${TAIL}` };
}

/** `text` as the content of an XML element; it holds no control characters. */
export function escapeXml(text: string): string {
  return text.replace(SPECIAL, (character) => ESCAPES[character] ?? '');
}
